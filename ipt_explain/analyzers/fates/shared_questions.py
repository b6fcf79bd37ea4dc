"""Questions that rules ask of every Service's packets, each about the Service's own addresses: one for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from ipt_explain.model import Family
from ipt_explain.netfilter.condition import source_question
from ipt_explain.netfilter.packet import Heading
from ipt_explain.services.ports import Frontend, ServicePort


def shared_questions(
    packets: Iterable[tuple[tuple[ServicePort, Frontend], Heading, Sequence[Heading | None]]],
    hosts: frozenset[Heading], family: Family,
) -> Mapping[Heading, Mapping[str, str]]:  # fmt: skip
    """What rules may ask of the sources of packets, and what to ask instead, by where the packets are sent: each to a
    Service's frontend at an address, with the Service's endpoints.

    A Service's rules ask for the addresses of its load balancer, if it has source ranges, and for those of its
    endpoints, of which only those on `hosts` may send what an ordinary pod does not.
    """
    found: dict[Heading, Mapping[str, str]] = {}
    for _, same in groupby(packets, key=lambda packet: id(packet[0][0])):
        own = list(same)
        balancers = [to for (_, frontend), to, _ in own if frontend.source_ranges]
        on_hosts = [each for each in own[0][2] if each in hosts]
        questions = dict(_numbered(on_hosts, "endpoint", family)) | dict(_numbered(balancers, "load balancer", family))
        for _, to, _ in own:
            found.setdefault(to, questions)
    return found


def _numbered(headings: Iterable[Heading | None], what: str, family: Family) -> Iterator[tuple[str, str]]:
    addresses = dict.fromkeys([heading.address for heading in headings if heading is not None])
    for number, address in enumerate(addresses, 1):
        if isinstance(address, int):
            yield source_question(address, family), f"-s {what} {number} of its Service"
