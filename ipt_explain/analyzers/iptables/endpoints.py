"""Endpoint chains (KUBE-SEP): which pod they lead to, and whether that pod can reach itself through them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, cast

from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import MARK_MASQ
from ipt_explain.model import Chain, Hidden, Layout, Table
from ipt_explain.netfilter.header.protocols import usual_name
from ipt_explain.records import dataclass
from ipt_explain.services.evidence import Evidence
from ipt_explain.words.addresses import without_prefix

# kube-proxy writes two rules; a DNAT after more than this many is not searched for.
_MAX_RULES = 64


def split_destination(destination: str) -> tuple[str | None, int | None]:
    """`10.0.0.1:80` or `[fd00::1]:80` as address and port; None for what is not one host or one port."""
    address, colon, port = destination.rpartition(":")
    if ":" in address:
        if address[0] != "[":
            address, port = destination, ""
        else:
            address = address[1:-1]
    elif not colon:
        address, port = destination, ""
    return (None if "-" in address or not address else address, _number(port))


def _split_destinations(destinations: Sequence[str]) -> tuple[Sequence[str | None], Sequence[int | None]]:
    """The addresses and ports of several."""
    parts = [text.rpartition(":") for text in destinations]
    hosts = [host for host, _, _ in parts]
    if all(hosts) and "".join(hosts).replace(".", "").isdecimal():
        return hosts, [_number(port) for _, _, port in parts]
    addresses, ports = zip(*map(split_destination, destinations))
    return addresses, ports


@lru_cache(maxsize=4096)
def _number(port: str) -> int | None:
    return int(port) if port.isdecimal() else None


@dataclass(frozen=True, slots=True)
class EndpointForm:
    """Where the parts of an endpoint chain are in `Chain.values`, for all chains of a layout.

    `dnat` is the number of the rule that translates; `marks` are the rules ahead of it that single out a source: where
    that stands, and the target or the place of its name. `hidden`: the saver could not print where it leads.
    """

    dnat: int
    destination: int
    protocol: int | None
    marks: tuple[tuple[int, int | None, str | None], ...]
    hidden: bool = False

    def marked(self, values: Sequence[tuple[str, ...]], addresses: Sequence[str | None]) -> list[bool]:
        """Whether a rule ahead of the DNAT marks connections of an address, the endpoint's own, for masquerading: for
        each chain's values.
        """
        found = [False] * len(values)
        for source, place, target in self.marks:
            own = [without_prefix(each[source]) == address for each, address in zip(values, addresses)]
            targets = [target] * len(values) if place is None else [each[place] for each in values]
            found = [known or (of and into in _MARKING) for known, of, into in zip(found, own, targets)]
        return found


class EndpointForms(dict[Layout, EndpointForm | None]):
    """The forms of the layouts met so far: `forms[chain.layout]`, None for one without a DNAT."""

    def __init__(self, plans: Plans) -> None:
        super().__init__()
        self._plans = plans

    def __missing__(self, layout: Layout) -> EndpointForm | None:
        form = self[layout] = self._form(layout)
        return form

    def _form(self, layout: Layout) -> EndpointForm | None:
        marks: list[tuple[int, int | None, str | None]] = []
        for number, (shape, start) in enumerate(zip(layout.shapes[:_MAX_RULES], layout.offsets)):
            plan = self._plans[shape]
            if plan.dnat_slot is not None:
                protocol = None if plan.protocol is None else start + plan.protocol.slot
                hidden = Hidden.TARGET in shape.hidden
                return EndpointForm(number, start + plan.dnat_slot, protocol, tuple(marks), hidden)
            if plan.source is not None and not plan.source.negated:
                marks.append((start + plan.source.slot, layout.target_place(number), plan.target))
        return None


class EndpointFacts(NamedTuple):
    """What an endpoint chain does: the rule that translates, where to, and what it has counted. The protocol is the one
    that the rule asks for; what the text does not tell is None, `hairpin` included: whether the endpoint's own
    connections are marked for masquerading.
    """

    destination: str | None
    address: str | None
    port: int | None
    hairpin: bool | None
    packets: int | None
    protocol: str | None
    evidence: Evidence


class EndpointChains:
    """Reads the endpoint chains of a nat table. In a `fragment`, marks that are not shown may exist."""

    def __init__(self, nat: Table | None, plans: Plans, fragment: bool) -> None:
        self._chains = {} if nat is None else nat.chains
        self._forms = EndpointForms(plans)
        self._unmarked = None if fragment else False

    def of(self, names: Sequence[str]) -> Sequence[EndpointFacts | None]:
        """What chains of these names do, None for what is no endpoint chain. Those of one layout are read together."""
        chains = list(map(self._chains.get, names))
        layouts = {None if chain is None else chain.layout for chain in chains}
        if len(layouts) == 1:
            return self._read(layouts.pop(), cast("list[Chain]", chains))
        return [None if chain is None else self._read(chain.layout, [chain])[0] for chain in chains]

    def _read(self, layout: Layout | None, chains: Sequence[Chain]) -> Sequence[EndpointFacts | None]:
        form = None if layout is None else self._forms[layout]
        nothing = [None] * len(chains)
        if form is None:
            return nothing
        values = [chain.values for chain in chains]
        written: Sequence[str | None] = nothing
        addresses: Sequence[str | None] = nothing
        ports: Sequence[int | None] = nothing
        if not form.hidden:
            destinations = [each[form.destination] for each in values]
            written, (addresses, ports) = destinations, _split_destinations(destinations)
        unmarked = None if form.hidden else self._unmarked
        counters = [chain.counters_of(form.dnat) if chain.counts else None for chain in chains]
        facts = zip(
            written,
            addresses,
            ports,
            [hairpin or unmarked for hairpin in form.marked(values, addresses)],
            [each and each.packets for each in counters],
            nothing if form.protocol is None else _usual_names([each[form.protocol] for each in values]),
            [Evidence(chain, form.dnat) for chain in chains],
        )
        return list(map(EndpointFacts._make, facts))


def _usual_names(protocols: Sequence[str]) -> Sequence[str]:
    one = protocols[0]
    if protocols.count(one) == len(protocols):
        return [usual_name(one)] * len(protocols)
    return list(map(usual_name, protocols))


_MARKING = frozenset({MARK_MASQ, "MARK"})  # kube-proxy 1.1 set the mark itself, without a chain for it
