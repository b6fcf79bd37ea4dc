"""Endpoint chains (KUBE-SEP): which pod they lead to, and whether that pod can reach itself through them."""

from __future__ import annotations

from ipt_explain.analyzers.names import MARK_MASQ
from ipt_explain.analyzers.plans import Plans
from ipt_explain.model import Rule, Shape, Table
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class EndpointChain:
    """A chain that ends in a DNAT.

    `destination` is as the rule has it; `address` and `port` are None where it is not one host and port; `hairpin`
    tells whether a rule ahead of the DNAT marks the endpoint's own connections for masquerading; `record_list` is the
    `recent` list in which the DNAT rule records its clients.
    """

    chain: str
    destination: str
    address: str | None
    port: int | None
    protocol: str | None
    hairpin: bool
    record_list: str | None
    dnat: Rule


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
    return (None if "-" in address or not address else address, int(port) if port.isdecimal() else None)


@dataclass(frozen=True, slots=True)
class _Form:
    """Where the parts of an endpoint chain stand, for all chains whose rules have the same shapes."""

    dnat: int
    destination: int
    protocol: int | None
    record_list: int | None
    sources: tuple[tuple[int, int, int | None, str | None], ...]  # rule, source slot, target slot, target


class _Forms(dict[tuple[Shape, ...], _Form | None]):
    """The forms met so far, by the shapes of a chain's rules; None for shapes without a DNAT."""

    def __init__(self, plans: Plans) -> None:
        super().__init__()
        self._plans = plans

    def __missing__(self, shapes: tuple[Shape, ...]) -> _Form | None:
        form = self[shapes] = self._form(shapes)
        return form

    def _form(self, shapes: tuple[Shape, ...]) -> _Form | None:
        sources: list[tuple[int, int, int | None, str | None]] = []
        for index, shape in enumerate(shapes):
            plan = self._plans[shape]
            if plan.dnat_slot is not None:
                protocol = None if plan.protocol is None else plan.protocol.slot
                records = plan.list_slot if plan.records else None
                return _Form(index, plan.dnat_slot, protocol, records, tuple(sources))
            if plan.source is not None and not plan.source.negated:
                sources.append((index, plan.source.slot, plan.target_slot, plan.target))
        return None


class EndpointReader:
    """Reads endpoint chains of one nat table."""

    def __init__(self, nat: Table | None, plans: Plans) -> None:
        self._chains = {} if nat is None else nat.chains
        self._forms = _Forms(plans)

    def read(self, name: str) -> EndpointChain | None:
        """The endpoint behind a chain, None where the chain is absent or has no DNAT of its own."""
        chain = self._chains.get(name)
        if chain is None:
            return None
        rules = chain.rules
        if len(rules) == 2:
            shapes: tuple[Shape, ...] = (rules[0].shape, rules[1].shape)
        else:
            shapes = tuple([rule.shape for rule in rules[:_MAX_RULES]])
        form = self._forms[shapes]
        if form is None:
            return None
        dnat = rules[form.dnat]
        values = dnat.values
        destination = values[form.destination]
        address, port = split_destination(destination)
        hairpin = False
        for index, source, slot, target in form.sources:
            marking = rules[index].values
            if slot is not None:
                target = marking[slot]
            # kube-proxy 1.1 set the mark itself, without a chain for it.
            if (target == MARK_MASQ or target == "MARK") and _is_host(marking[source], address):
                hairpin = True
        protocol = None if form.protocol is None else values[form.protocol]
        record_list = None if form.record_list is None else values[form.record_list]
        return EndpointChain(name, destination, address, port, protocol, hairpin, record_list, dnat)


# kube-proxy writes two rules; a DNAT behind more than this many is not looked for.
_MAX_RULES = 64


def _is_host(source: str, address: str | None) -> bool:
    return address is not None and source.startswith(address) and source[len(address) :] in ("", "/32", "/128")
