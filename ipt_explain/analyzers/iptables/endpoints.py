"""Endpoint chains (KUBE-SEP): which pod they lead to, and whether that pod can reach itself through them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import MARK_MASQ
from ipt_explain.model import Chain, Hidden, Layout, Table, column
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

    def marked(self, chains: Sequence[Chain], addresses: Sequence[str | None]) -> list[bool]:
        """Whether a rule ahead of the DNAT marks connections of an address, the endpoint's own, for masquerading: for
        each chain.
        """
        found = [False] * len(chains)
        for source, place, target in self.marks:
            targets = [target] * len(chains) if place is None else column(chains, place)
            own = [without_prefix(each) == address for each, address in zip(column(chains, source), addresses)]
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


class EndpointChains(dict[str, EndpointFacts | None]):
    """What the endpoint chains of a nat table do, by name; None for what is no such chain. In a `fragment`, marks that
    are not shown may exist.

    A chain is read when it is first asked for, or with all others, layout by layout.
    """

    def __init__(self, nat: Table | None, plans: Plans, fragment: bool) -> None:
        super().__init__()
        self._chains = {} if nat is None else nat.chains
        self._forms = EndpointForms(plans)
        self._unmarked = None if fragment else False

    def __missing__(self, name: str) -> EndpointFacts | None:
        chain = self._chains.get(name)
        self[name] = None
        if chain is not None:
            self._read(chain.layout, [chain])
        return self[name]

    def read_all(self) -> None:
        """Read all endpoint chains."""
        by_layout: dict[Layout, list[Chain]] = {}
        for chain in self._chains.values():
            by_layout.setdefault(chain.layout, []).append(chain)
        for layout, chains in by_layout.items():
            self._read(layout, chains)

    def _read(self, layout: Layout, chains: Sequence[Chain]) -> None:
        form = self._forms[layout]
        if form is None:
            return
        written = None if form.hidden else column(chains, form.destination)
        nothing = [None] * len(chains)
        addresses, ports = (nothing, nothing) if written is None else zip(*map(split_destination, written))
        marked = form.marked(chains, addresses)
        unmarked = None if form.hidden else self._unmarked
        counters = [chain.counters_of(form.dnat) for chain in chains]
        facts = zip(
            nothing if written is None else written,
            addresses,
            ports,
            [hairpin or unmarked for hairpin in marked],
            [each and each.packets for each in counters],
            nothing if form.protocol is None else _usual_names(column(chains, form.protocol)),
            [Evidence(chain, form.dnat) for chain in chains],
        )
        self.update(zip([chain.name for chain in chains], map(EndpointFacts._make, facts)))


def _usual_names(protocols: Sequence[str]) -> list[str]:
    usual = {text: usual_name(text) for text in set(protocols)}
    return [usual[text] for text in protocols]


_MARKING = frozenset({MARK_MASQ, "MARK"})  # kube-proxy 1.1 set the mark itself, without a chain for it
