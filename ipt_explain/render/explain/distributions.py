"""The endpoints of a service port as rows of its tree, with their chances for each kind of client."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from ipt_explain.model import Backend
from ipt_explain.records import dataclass, field
from ipt_explain.render.explain.loss_rows import leak_line
from ipt_explain.render.explain.service_rows import View, row
from ipt_explain.render.explain.service_words import KIND_WORDS, endpoint_address
from ipt_explain.render.text.outline import Node, Span, sentence
from ipt_explain.render.text.safe import cells, escape
from ipt_explain.services.ports import Balancer, Endpoint, FrontendKind, FrontendVerdict, Scope, ServicePort, Share
from ipt_explain.words.addresses import address_port
from ipt_explain.words.counts import counted
from ipt_explain.words.lists import both
from ipt_explain.words.percents import GRAIN, evenness, percent, percents

# Covers rounding in sums of floats; the kernel's smallest share is 2^-31.
_NOTHING = 1e-12

_HAIRPIN: dict[bool | None, Span] = {
    True: ("hairpin ok", "good"),
    False: ("hairpin MISSING", "bad"),
    None: ("hairpin unknown", "unknown"),
}


@dataclass(slots=True)
class _Distribution:
    """Balancers with the same distribution, and the kinds of frontends that lead to them.

    "Inside" means pods and the node itself, if the rules distinguish them (kube-proxy up to 1.14: only pods).
    """

    balancers: list[Balancer]
    from_outside: set[FrontendKind] = field(default_factory=set)
    from_inside: set[FrontendKind] = field(default_factory=set)

    @property
    def serves_cluster_ip(self) -> bool:
        return FrontendKind.CLUSTER_IP in self.from_outside

    @property
    def users(self) -> str:
        """The connections that it spreads: `ClusterIP; NodePort from outside`."""
        groups = (
            (self.from_outside & self.from_inside, ""),
            (self.from_outside - self.from_inside, " from outside"),
            (self.from_inside - self.from_outside, " from inside"),
        )
        words = [_kinds(kinds) + where for kinds, where in groups if kinds]
        return "; ".join(words) or both([escape(balancer.chain) for balancer in self.balancers])


def _kinds(kinds: set[FrontendKind]) -> str:
    return both([word for kind, word in KIND_WORDS.items() if kind in kinds])


def distributions(service: ServicePort, view: View) -> Iterator[Node]:
    """The endpoints of each balancer, the ClusterIP's first; equal distributions are shown once."""
    found = _distributions(service)
    only = not service.frontends or service.backend is Backend.IPVS
    alone = len(found) == 1 and (only or found[0].serves_cluster_ip)
    endpoint_of = _endpoints_of(service)
    # kube-proxy puts every usable endpoint on its node into the local chain, so all others are on other nodes.
    shows_local = not view.fragment and any(balancer.scope is Scope.LOCAL for balancer in service.balancers)
    shown: set[tuple[str, str | None]] = set()
    for distribution in found:
        balancer = distribution.balancers[0]
        pairs = [(share, endpoint_of(share)) for share in balancer.shares]
        arriving = distribution.serves_cluster_ip and any(_is_lost(share, endpoint) for share, endpoint in pairs)
        children = _endpoints(pairs, "remote" if shows_local else "", shown, view, arriving)
        if balancer.unmatched is None:
            children.append(_not_shown(balancer))
        elif balancer.unmatched > _NOTHING:
            children.append(_leak(service, balancer, balancer.unmatched))
        count = str(len(pairs) or "none")
        even = evenness([share.probability for share, _ in pairs])
        reach = sum(_arriving(*pair) or 0.0 for pair in pairs)
        unmatched = balancer.unmatched or 0.0
        if pairs and reach <= _NOTHING and (arriving or unmatched > _NOTHING):
            even = "no connection gets there"
        elif arriving and unmatched <= _NOTHING:
            even = ", ".join(filter(None, (even, f"{percent(reach)} of connections get there")))
        if balancer.decided_by is not None:
            even = f"shared as IPVS's scheduler {escape(balancer.decided_by)} decides"
        users = "" if alone else f"for {distribution.users}"
        yield row("endpoints", sentence(", ".join(filter(None, (count, even, users)))), children=children)
        shown.update((share.chain, share.endpoint) for share, _ in pairs)


def _endpoints_of(service: ServicePort) -> Callable[[Share], Endpoint | None]:
    """A function that finds a share's endpoint: that of its chain, or of its address if the chain has several."""
    by_chain: dict[str, list[Endpoint]] = defaultdict(list)
    for endpoint in service.endpoints:
        by_chain[endpoint.chain].append(endpoint)

    def endpoint_of(share: Share) -> Endpoint | None:
        found = by_chain.get(share.chain, [])
        exact = (each for each in found if each.address and address_port(each.address, each.port) == share.endpoint)
        return next(exact, None) if len(found) > 1 else next(iter(found), None)

    return endpoint_of


def _distributions(service: ServicePort) -> list[_Distribution]:
    alike: dict[object, _Distribution] = {}
    by_chain: dict[str, _Distribution] = {}
    for balancer in service.balancers:
        if not balancer.shares and service.frontends:
            continue  # the frontends' verdicts show it
        chances = frozenset((share.chain, share.probability) for share in balancer.shares)
        distribution = alike.setdefault(chances, _Distribution([]))
        distribution.balancers.append(balancer)
        by_chain[balancer.chain] = distribution
    for frontend in service.frontends:
        outside = by_chain.get(frontend.balancer or "") if frontend.verdict is FrontendVerdict.BALANCE else None
        inside = by_chain.get(frontend.node_balancer) if frontend.node_balancer is not None else outside
        if outside is not None:
            outside.from_outside.add(frontend.kind)
        if inside is not None:
            inside.from_inside.add(frontend.kind)
    return sorted(alike.values(), key=lambda distribution: not distribution.serves_cluster_ip)


def _arriving(share: Share, endpoint: Endpoint | None) -> float | None:
    """The chance that a connection arrives at an endpoint; None if unknown."""
    known = endpoint is not None and endpoint.probability is not None
    return endpoint.probability if known else share.probability  # type: ignore[union-attr]


def _is_lost(share: Share, endpoint: Endpoint | None) -> bool:
    """Whether fewer connections arrive at an endpoint than its balancer sends."""
    arriving = _arriving(share, endpoint)
    return arriving is not None and share.probability is not None and arriving < share.probability - GRAIN


def _leak(service: ServicePort, balancer: Balancer, unmatched: float) -> Node:
    share = (f"{percents((unmatched,))[0]}  ", "bad")
    if balancer.fallback_drop:
        return Node([share, *sentence("marked for dropping, as no local endpoint is left", "bad")], hang=2)
    line = leak_line(service, balancer)
    words = sentence("NOT TRANSLATED: leave for the Service's own address", "bad")
    return Node([share, *words], "" if line is None else f"line {line}", hang=2)


def _not_shown(balancer: Balancer) -> Node:
    known = [share.probability for share in balancer.shares if share.probability is not None]
    if len(known) < len(balancer.shares):
        return Node([*sentence("rules are missing from this text, so shares are not known", "unknown")], hang=2)
    share = (f"{percents((1.0 - sum(known),))[0]}  ", "unknown")
    return Node([share, *sentence("not accounted for: rules may be missing from this text", "unknown")], hang=2)


def _endpoints(
    pairs: Sequence[tuple[Share, Endpoint | None]],
    elsewhere: str,
    shown: Collection[object],
    view: View,
    arriving: bool,
) -> list[Node]:
    """One row each, in columns, with an endpoint's details in its first row. `arriving`: show the chance that a
    connection arrives, which may differ from the balancer's share.
    """
    given = [_arriving(share, endpoint) if arriving else share.probability for share, endpoint in pairs]
    written = iter(percents([chance for chance in given if chance is not None]))
    texts = ["?" if chance is None else next(written) for chance in given]
    chances = [chance if share.scheduler is None else "?" for chance, (share, _) in zip(texts, pairs)]
    addresses = [
        endpoint_address(endpoint) if endpoint is not None else escape(share.endpoint or share.chain)
        for share, endpoint in pairs
    ]
    places = ["local" if endpoint is not None and endpoint.local else elsewhere for _, endpoint in pairs]
    located = [endpoint is not None and endpoint.address is not None for _, endpoint in pairs]
    hairpins = {endpoint.hairpin for _, endpoint in pairs if endpoint is not None and endpoint.address is not None}
    chance_width, place_width = _widest(chances), _widest(places)
    address_width = max((cells(address) for address, known in zip(addresses, located) if known), default=0)
    hairpin_width = _widest(_HAIRPIN[hairpin][0] for hairpin in hairpins)
    nodes = []
    for (share, endpoint), chance, address, place, known in zip(pairs, chances, addresses, places, located):
        words: list[Span] = [
            (chance.rjust(chance_width), "share"),
            (f"  {address}{' ' * (address_width - cells(address))}", "address" if known else "unknown"),
        ]
        tail = ""
        if endpoint is not None and (share.chain, share.endpoint) not in shown:
            tail = f"line {endpoint.evidence.line}"
            if place_width:
                words.append((f"  {place.ljust(place_width)}", "place"))
            if known:
                words += _details(endpoint, hairpin_width, view)
        nodes.append(Node(words, tail, hang=chance_width + 2))
    return nodes


def _details(endpoint: Endpoint, hairpin_width: int, view: View) -> list[Span]:
    hairpin, style = _HAIRPIN[endpoint.hairpin]
    words = [(f"  {hairpin.ljust(hairpin_width)}", style)]
    if endpoint.packets is not None:
        words.append((f"  {counted(endpoint.packets, 'packet')}".ljust(13), "counter"))
    if view.chains:
        words.append((f"  {escape(endpoint.chain)}", "chain"))
    return words


def _widest(words: Iterable[str]) -> int:
    return max(map(len, words), default=0)
