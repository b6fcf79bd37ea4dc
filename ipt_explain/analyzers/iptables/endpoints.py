"""Endpoint chains (KUBE-SEP): which pod they lead to, and whether that pod can reach itself through them."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache

from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import MARK_MASQ
from ipt_explain.columns import Columns, in_columns
from ipt_explain.model import Chain, Layout, column, lines, packets
from ipt_explain.netfilter.header import usual_name
from ipt_explain.records import Record
from ipt_explain.services.evidence import Evidence, SameRules
from ipt_explain.services.ports import Endpoint
from ipt_explain.words import address_port

# kube-proxy writes two rules; a DNAT after more than this many is not searched for.
_MAX_RULES = 64


def split_destination(destination: str) -> tuple[str | None, int | None]:
    """`10.0.0.1:80` or `[fd00::1]:80` as address and port; None for anything but one host and port."""
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


def _split(destinations: Sequence[str]) -> tuple[Sequence[str | None], Sequence[int | None]]:
    """Addresses and ports of one or more destinations. `10.0.0.1:80` is the usual form, which needs no second look."""
    addresses, _, ports = zip(*[destination.rpartition(":") for destination in destinations])
    written = "".join(addresses)
    if ":" in written or "-" in written or "" in addresses:
        addresses, ports = zip(*map(split_destination, destinations))
        return addresses, ports
    return addresses, list(map(_number, ports))


NO_ENDPOINTS: Columns[Endpoint] = in_columns([], Endpoint)


def one_endpoint(chain: str, destination: str | None, evidence: Evidence, fragment: bool) -> Columns[Endpoint]:
    """An endpoint without a chain of its own, or whose chain the input does not show (no destination)."""
    address, port = (None, None) if destination is None else split_destination(destination)
    marked = None if destination is None or fragment else False
    found = Endpoint(address, port, chain, None, None, marked, None, None, evidence, marked, None, destination)
    return in_columns([found], Endpoint)


def with_default_port(endpoints: Columns[Endpoint], port: int) -> Columns[Endpoint]:
    """The same, with this port for endpoints without one: the kernel keeps the port that packets are sent to."""
    ports = endpoints.column("port")
    if None not in ports:
        return endpoints
    addresses, texts = endpoints.columns(("address", "endpoint"))
    kept = [own is None and text is not None and address == text for address, own, text in zip(addresses, ports, texts)]
    return endpoints.with_columns(
        port=[port if keeps else own for keeps, own in zip(kept, ports)],
        endpoint=[address_port(text, port) if keeps else text for keeps, text in zip(kept, texts)],
    )


class EndpointForm(Record):
    """Where the parts of an endpoint chain are in `Chain.values`, for all chains of a layout.

    `dnat` is the number of the rule that translates, to a `destination` that iptables-save may have failed to print.
    `marks` are the rules before it that match a source: the place of that source, and the target or the place of its
    name. In a `fragment`, rules that the input does not show may mark, too.
    """

    dnat: int
    destination: int | None
    protocol: int | None
    marks: tuple[tuple[int, int | None, str | None], ...]
    fragment: bool

    def protocols(self, chains: Sequence[Chain]) -> AbstractSet[str]:
        """The protocols that the chains' DNATs match; none if these match any."""
        return set() if self.protocol is None else set(map(usual_name, set(column(chains, self.protocol))))

    def endpoints(self, chains: Sequence[Chain]) -> Columns[Endpoint]:
        """Where one or more chains of the layout lead. The evidence is the DNAT."""
        found: dict[str, Sequence[object]] = {"chain": column(chains, 0)}
        if self.destination is not None:
            found["endpoint"] = destinations = column(chains, self.destination)
            found["address"], found["port"] = addresses, _ = _split(destinations)
            found["hairpin"] = found["marked"] = self._marked(chains, addresses)
        counted = packets(chains, self.dnat)
        if counted.count(None) < len(counted):
            found["packets"] = counted
        # Later the chains, scattered over memory, would have to be fetched once more for their lines.
        found["evidence"] = SameRules(chains, self.dnat, lines(chains, self.dnat))
        return Columns(Endpoint, found)

    def _marked(self, chains: Sequence[Chain], addresses: Sequence[str | None]) -> Sequence[bool | None]:
        """Whether a rule before the DNAT marks connections from the endpoint's own address for masquerading, and lets
        them go on."""
        marked: list[bool | None] = [None if self.fragment else False] * len(chains)
        for place, target_place, target in self.marks:
            targets = [target] * len(chains) if target_place is None else column(chains, target_place)
            sources = column(chains, place)
            if _MARKING.issuperset(targets) and sources == [f"{own}/32" for own in addresses]:
                return [True] * len(chains)  # as nearly always; checked faster for all at once
            each = zip(marked, targets, sources, addresses)
            marked = [
                (target in _MARKING and own is not None and (source == own + "/32" or source in (own, own + "/128")))
                or known
                for known, target, source, own in each
            ]
        return marked


class EndpointForms(dict[Layout, EndpointForm | None]):
    """The form of each layout: `forms[chain.layout]`; None without a DNAT."""

    def __init__(self, plans: Plans, fragment: bool = False) -> None:
        super().__init__()
        self._plans = plans
        self.fragment = fragment

    def __missing__(self, layout: Layout) -> EndpointForm | None:
        form = self[layout] = self._form(layout)
        return form

    def _form(self, layout: Layout) -> EndpointForm | None:
        """The form by the first DNAT without conditions, as kube-proxy writes it, or by the first of all."""
        marks: list[tuple[int, int | None, str | None]] = []
        first: EndpointForm | None = None
        for number, (shape, start) in enumerate(zip(layout.shapes[:_MAX_RULES], layout.offsets)):
            plan = self._plans[shape]
            if plan.translates:
                destination = None if plan.dnat_slot is None else start + plan.dnat_slot
                protocol = None if plan.protocol is None else start + plan.protocol.slot
                form = EndpointForm(number, destination, protocol, tuple(marks), self.fragment)
                if plan.unconditional:
                    return form
                first = first or form
            elif plan.source is not None and not plan.source.negated and not plan.goto:
                marks.append((start + plan.source.slot, layout.target_place(number), plan.target))
        return first


# kube-proxy 1.1 set the mark itself, without a chain for it.
_MARKING = frozenset({MARK_MASQ, "MARK"})
