"""Endpoint chains (KUBE-SEP): which pod they lead to, and whether that pod can reach itself through them."""

from __future__ import annotations

from functools import lru_cache

from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import MARK_MASQ
from ipt_explain.model import Chain, Hidden, Layout
from ipt_explain.records import dataclass

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

    def destination_of(self, chain: Chain) -> str | None:
        """Where the chain leads, as written; None where the text does not tell."""
        return None if self.hidden else chain.at(self.destination)

    def hairpin(self, chain: Chain, address: str | None) -> bool:
        """Whether a rule ahead of the DNAT marks connections of `address`, the endpoint's own, for masquerading."""
        for source, place, target in self.marks:
            if place is not None:
                target = chain.at(place)
            # kube-proxy 1.1 set the mark itself, without a chain for it.
            if (target == MARK_MASQ or target == "MARK") and _is_host(chain.at(source), address):
                return True
        return False


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


def _is_host(source: str, address: str | None) -> bool:
    return address is not None and source.startswith(address) and source[len(address) :] in _WHOLE


_WHOLE = frozenset({"", "/32", "/128"})
