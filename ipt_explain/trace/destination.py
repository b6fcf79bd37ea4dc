"""The destination in `--to`: an address and port, or a Service of the dump."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipt_explain.errors import UsageError
from ipt_explain.netfilter.header import family_of, parse_address, protocol_number
from ipt_explain.records import Record
from ipt_explain.words import listed

if TYPE_CHECKING:
    from ipt_explain.analyzers.selection import Naming
    from ipt_explain.model import Dump

_MOST_NAMED = 6


class PacketDestination(Record):
    """Where a packet is sent. `label` is the Service's name, "" if an address was given."""

    address: str
    port: int | None
    protocol: str
    label: str = ""


def resolve(
    text: str, protocol: str | None, dump: Dump, source: str | None, named: Naming | None
) -> PacketDestination:
    """Parse `IP[:PORT][/PROTOCOL]`, `[IP]:PORT`, or `[NAMESPACE/]SERVICE[:PORT]`, with PORT a name or number.

    A Service stands for its ClusterIP of `source`'s family. Raises UsageError if the text is invalid or ambiguous.
    """
    written, slash, suffix = text.rpartition("/")
    found = _endpoint(written if slash else text)
    if found is None:
        return _service(text, protocol, dump, source, named)
    if slash and protocol_number(suffix) is None:
        raise UsageError(f"{suffix} is not a protocol: use tcp, udp, sctp, icmp or a number")
    if slash and protocol is not None and protocol_number(suffix) != protocol_number(protocol):
        raise UsageError(f"--to says {suffix}, --protocol {protocol}")
    return PacketDestination(*found, (suffix if slash else protocol) or "tcp")


def with_port(
    target: PacketDestination, protocol: str | None, dump: Dump, named: Naming | None
) -> PacketDestination:
    """The destination; if it has no port, with the only port of the Service at its address.

    Raises UsageError, with a list, if there are several ports: a packet has one, and nothing is averaged over them.
    """
    if target.port is not None:
        return target
    from ipt_explain.analyzers.selection import Selection, explain_selected

    try:
        explanation, _ = explain_selected([dump], Selection.of((), (), (target.address,)), named)
    except UsageError:
        return target
    known = {
        (front.port, service.protocol): service
        for service in explanation.services
        for front in service.frontends
        if front.address is not None and parse_address(front.address) == parse_address(target.address)
        if protocol is None or protocol_number(protocol) == protocol_number(service.protocol)
    }
    if not known:
        return target
    if len(known) > 1:
        names = sorted(f"{service.label} ({written} {port})" for (port, written), service in known.items())
        raise UsageError(f"{target.address} has several ports: {listed(names, _MOST_NAMED)}. Name one of them")
    (port, written), service = next(iter(known.items()))
    return PacketDestination(target.address, port, written, service.label)


def same_family(one: str, other: str) -> bool:
    """Whether two addresses are of one family."""
    return family_of(one) is family_of(other)


def _endpoint(text: str) -> tuple[str, int | None] | None:
    """(address, port) of an address with or without a port; None if it is not an address."""
    host, port_text = text, ""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        if rest and not rest.startswith(":"):
            return None
        port_text = rest[1:]
    elif text.count(":") == 1:
        host, _, port_text = text.partition(":")
    try:
        parse_address(host)
    except ValueError:
        return None
    if port_text and not (port_text.isdecimal() and int(port_text) <= 65535):
        raise UsageError(f"{port_text} is not a port (0 to 65535)")
    return host, int(port_text) if port_text else None


def _service(
    text: str, protocol: str | None, dump: Dump, source: str | None, named: Naming | None
) -> PacketDestination:
    from ipt_explain.analyzers.selection import Selection, explain_selected

    try:
        explanation, _ = explain_selected([dump], Selection.of((text,), (), ()), named)
    except UsageError as error:
        raise UsageError(str(error).replace(f"--service {text} ", f"--to {text} ")) from None
    fitting = [
        service
        for service in explanation.services
        if service.cluster_ip is not None
        and (source is None or same_family(service.cluster_ip, source))
        and (protocol is None or protocol_number(protocol) == protocol_number(service.protocol))
    ]
    if not fitting:
        raise UsageError(f"{text} has no ClusterIP that such a packet could be sent to; give an address instead")
    known = {(service.cluster_ip, service.port, service.protocol): service for service in fitting}
    if len(known) > 1:
        names = sorted(f"{each.label} ({each.protocol} {each.port})" for each in known.values())
        raise UsageError(f"{text} is more than one service port: {listed(names, _MOST_NAMED)}. Name one of them")
    service = fitting[0]
    return PacketDestination(service.cluster_ip or "", service.port, service.protocol, service.label)
