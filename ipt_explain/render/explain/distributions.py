"""The endpoints of a service port as rows of its tree, with their chances for each kind of client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import compress

from ipt_explain.analyzers.names import place_in_comment
from ipt_explain.columns import column, columns
from ipt_explain.model import Backend
from ipt_explain.netfilter.probability import NOTHING
from ipt_explain.records import Record, field
from ipt_explain.render.explain.service_words import View, by_words, leak_line, placement_words, row
from ipt_explain.render.text.outline import Span, TreeNode, line_tail, sentence
from ipt_explain.render.text.safe import cells, escape
from ipt_explain.services.evidence import Evidence, Shown, evidence_lines
from ipt_explain.services.ports import Balancer, Endpoint, FrontendKind, FrontendVerdict, Scope, ServicePort, Share
from ipt_explain.words import address_port, both, counted
from ipt_explain.words.percents import GRAIN, evenness, percent, percents

_HAIRPIN: dict[bool | None, Span] = {
    True: ("hairpin ok", "good"),
    False: ("hairpin MISSING", "bad"),
    None: ("hairpin unknown", "unknown"),
}


class _Distribution(Record, frozen=False):
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
        words = [by_words(kinds).strip() + where for kinds, where in groups if kinds]
        return "; ".join(words) or both([escape(balancer.chain) for balancer in self.balancers])


_FIELDS = ("address", "port", "evidence", "chain", "probability", "local", "hairpin", "packets", "placement")


class _Endpoints:
    """A service port's endpoints in columns, each with an entry at its end, index -1, for shares without endpoint."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        addresses, ports, evidence, *shown = columns(endpoints, _FIELDS)
        self.chains, self.chances, self.local, self.hairpins, self.packets, placements = [
            [*values, None] for values in shown
        ]
        self.hosts = [escape(placement_words(each)) for each in placements] if any(placements) else []
        self.lines = [*evidence_lines(evidence), None]
        self._places = [
            None if address is None else address_port(address, port) for address, port in zip(addresses, ports)
        ]
        self._places.append(None)
        self.located = [place is not None for place in self._places]
        self.addresses = [
            escape(_unlocated(chain, shown) if place is None else place)
            for place, chain, shown in zip(self._places, self.chains, evidence)
        ]
        self.addresses.append("")

    def of(self, shares: Sequence[Share]) -> list[int]:
        """The endpoint of each share: that of its chain, or of its address if the chain has several."""
        chains, number = column(shares, "chain"), len(self.chains) - 1
        by_chain = dict(zip(self.chains, range(number)))
        if len(by_chain) == number:
            return [by_chain.get(chain, -1) for chain in chains]
        several = Counter(self.chains)
        by_place = dict(zip(zip(self.chains[-2::-1], self._places[-2::-1]), range(number - 1, -1, -1)))
        return [
            by_chain.get(chain, -1) if several[chain] < 2 else by_place.get((chain, place), -1)
            for chain, place in zip(chains, column(shares, "endpoint"))
        ]


def _unlocated(chain: str, shown: Evidence | Shown) -> str:
    """What is known of an endpoint whose DNAT is not in the text: its address, if a name or a comment has it."""
    if isinstance(shown, Evidence):
        place, said = place_in_comment(shown.rule.comment or ""), "its comment"
    else:
        from ipt_explain.analyzers.nftables.names import target_of

        named = target_of(chain)
        place = None if named is None else address_port(named.address, named.port)
        said = "its chain's name"
    return f"address unknown: {chain}" if place is None else f"{place} by {said}; DNAT not shown"


def distributions(service: ServicePort, view: View) -> Iterator[TreeNode]:
    """The endpoints of each balancer, the ClusterIP's first; equal distributions are shown once."""
    found = _distributions(service)
    only = not service.frontends or service.backend is Backend.IPVS
    alone = len(found) == 1 and (only or found[0].serves_cluster_ip)
    endpoints = _Endpoints(service.endpoints)
    # kube-proxy puts every usable endpoint on its node into the local chain, so all others are on other nodes.
    shows_local = not view.fragment and any(balancer.scope is Scope.LOCAL for balancer in service.balancers)
    shown: set[tuple[str, str | None]] = set()
    for distribution in found:
        balancer = distribution.balancers[0]
        at = endpoints.of(balancer.shares)
        chances = tuple(column(balancer.shares, "probability"))
        known = map(endpoints.chances.__getitem__, at)
        arriving = tuple([chance if each is None else each for chance, each in zip(chances, known)])
        losing = arriving != chances and distribution.serves_cluster_ip and any(map(_is_less, arriving, chances))
        texts = _in_words(arriving if losing else chances)
        children = _rows(balancer.shares, at, endpoints, texts, "remote" if shows_local else "", shown, view)
        if balancer.unmatched is None:
            children.append(_not_shown(balancer))
        elif balancer.unmatched > NOTHING:
            children.append(_leak(service, balancer, balancer.unmatched))
        count = str(len(at) or "none")
        even = _evenness(chances)
        reach = sum(filter(None, arriving))
        unmatched = balancer.unmatched or 0.0
        if at and reach <= NOTHING and (losing or unmatched > NOTHING):
            even = "no connection gets there"
        elif losing and unmatched <= NOTHING:
            even = ", ".join(filter(None, (even, f"{percent(reach)} of connections get there")))
        if balancer.decided_by is not None:
            even = f"shared as IPVS's scheduler {escape(balancer.decided_by)} decides"
        users = "" if alone else f"for {distribution.users}"
        yield row("endpoints", sentence(", ".join(filter(None, (count, even, users)))), children=children)
        shown.update(zip(column(balancer.shares, "chain"), column(balancer.shares, "endpoint")))


# Most Services of a node have one of a few distributions.
@lru_cache(maxsize=64)
def _in_words(chances: tuple[float | None, ...]) -> list[str]:
    written = iter(percents([chance for chance in chances if chance is not None]))
    return ["?" if chance is None else next(written) for chance in chances]


_evenness: Callable[[tuple[float | None, ...]], str] = lru_cache(maxsize=64)(evenness)


def _distributions(service: ServicePort) -> list[_Distribution]:
    alike: dict[object, _Distribution] = {}
    by_chain: dict[str, _Distribution] = {}
    for balancer in service.balancers:
        if not balancer.shares and service.frontends:
            continue  # the frontends' verdicts show it
        chances = frozenset(zip(column(balancer.shares, "chain"), column(balancer.shares, "probability")))
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


def _is_less(arriving: float | None, chance: float | None) -> bool:
    """Whether fewer connections arrive at an endpoint than its balancer sends."""
    return arriving is not None and chance is not None and arriving < chance - GRAIN


def _leak(service: ServicePort, balancer: Balancer, unmatched: float) -> TreeNode:
    share = (f"{percents((unmatched,))[0]}  ", "bad")
    if balancer.fallback_drop:
        return TreeNode([share, *sentence("marked for dropping", "bad")], hang=2)
    words = sentence("NOT TRANSLATED: sent to the Service's own address", "bad")
    return TreeNode([share, *words], line_tail(leak_line(service, balancer)), hang=2)


def _not_shown(balancer: Balancer) -> TreeNode:
    known = [share.probability for share in balancer.shares if share.probability is not None]
    if len(known) < len(balancer.shares):
        return TreeNode([*sentence("rules are missing from this input, so shares are not known", "unknown")], hang=2)
    share = (f"{percents((1.0 - sum(known),))[0]}  ", "unknown")
    rest = "marked for dropping, unless" if balancer.fallback_drop else "not accounted for:"
    may = "rules are missing" if balancer.fallback_drop else "rules may be missing"
    return TreeNode([share, *sentence(f"{rest} {may} from this input", "unknown")], hang=2)


def _rows(
    shares: Sequence[Share],
    at: Sequence[int],
    endpoints: _Endpoints,
    texts: Sequence[str],
    elsewhere: str,
    shown: Collection[object],
    view: View,
) -> list[TreeNode]:
    """One row for each share, in columns, with details of its endpoint in the endpoint's first row. `texts` are the
    chances."""
    chains, targets, schedulers = columns(shares, ("chain", "endpoint", "scheduler"))
    chances = [text if scheduler is None else "?" for text, scheduler in zip(texts, schedulers)]
    addresses = [
        endpoints.addresses[index] if index >= 0 else escape(target or chain)
        for index, target, chain in zip(at, targets, chains)
    ]
    located = list(map(endpoints.located.__getitem__, at))
    lengths = list(map(cells, addresses))
    places = ["local" if endpoints.local[index] else elsewhere for index in at]
    chance_width, place_width = _widest(chances), _widest(places)
    address_width = max(compress(lengths, located), default=0)
    hosts = [endpoints.hosts[index] for index in at] if endpoints.hosts else [""] * len(at)
    host_width = max(map(cells, hosts), default=0)
    hairpin_of = _in_column(frozenset(map(endpoints.hairpins.__getitem__, compress(at, located))))
    nodes = []
    for index, key, chance, address, length, place, known, host in zip(
        at, zip(chains, targets), chances, addresses, lengths, places, located, hosts
    ):
        words: list[Span] = [
            (chance.rjust(chance_width), "share"),
            (f"  {address}{' ' * (address_width - length)}", "address" if known else "unknown"),
        ]
        tail = ""
        if index >= 0 and key not in shown:
            tail = f"line {endpoints.lines[index]}"
            if place_width:
                words.append((f"  {place.ljust(place_width)}", "place"))
            if known:
                words.append(hairpin_of[endpoints.hairpins[index]])
                packets = endpoints.packets[index]
                if packets is not None:
                    words.append((f"  {counted(packets, 'packet')}".ljust(13), "counter"))
                if host_width:
                    words.append((f"  {host}{' ' * (host_width - cells(host))}", "place"))
                if view.chains:
                    words.append((f"  {escape(endpoints.chains[index])}", "chain"))
        nodes.append(TreeNode(words, tail, chance_width + 2))
    return nodes


@lru_cache
def _in_column(hairpins: frozenset[bool | None]) -> dict[bool | None, Span]:
    """What to say of an endpoint's hairpin, as wide as the widest."""
    width = _widest(_HAIRPIN[hairpin][0] for hairpin in hairpins)
    return {hairpin: (f"  {text.ljust(width)}", style) for hairpin, (text, style) in _HAIRPIN.items()}


def _widest(words: Iterable[str]) -> int:
    return max(map(len, words), default=0)
