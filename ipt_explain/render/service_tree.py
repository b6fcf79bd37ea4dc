"""One service port as a tree: how it is reached, what becomes of connections, and where they end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ipt_explain.analyzers.facts import (
    Balancer,
    Endpoint,
    Frontend,
    FrontendKind,
    Scope,
    ServicePort,
    ServiceState,
    Share,
    TrafficPolicy,
    Verdict,
)
from ipt_explain.analyzers.identity import spelling_in_hash
from ipt_explain.render.outline import Node, Span, sentence
from ipt_explain.render.percent import evenness, percent, percents
from ipt_explain.render.safe import cells, escape
from ipt_explain.render.service_words import (
    KIND_WORDS,
    STATE_WORDS,
    endpoint_address,
    frontend_address,
    ranges_words,
    verdict_words,
)
from ipt_explain.render.words import both, duration, plural

LABEL_WIDTH = 14

_KIND_ORDER = {kind: number for number, kind in enumerate(KIND_WORDS)}

# Rounding in sums of floats; the smallest share that the kernel can leave is 2^-31.
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class View:
    """How services are shown. `fragment`: what is absent is unknown. `chains`: there is room for endpoints' chains."""

    fragment: bool
    chains: bool


def service_tree(service: ServicePort, view: View) -> Node:
    """The tree of one service port."""
    rows = [
        *_identity(service, view),
        *_frontends(service),
        *_policies(service),
        *_affinity(service, view),
        *_distributions(service, view),
        *_masquerade(service, view),
    ]
    return Node(_title(service), hang=2, children=rows)


def _title(service: ServicePort) -> list[Span]:
    words: list[Span] = [(escape(service.label), "name"), (f" · {escape(service.protocol)}", "")]
    if service.name is None:
        words.append((" · its name is not in this text", "unknown"))
    if service.state is not ServiceState.SERVING:
        said, style = STATE_WORDS[service.state]
        words.append((f" · {said}", style))
    chains = _chains(service)
    if chains and chains != service.label:
        words.append((f" · {escape(chains)}", "chain"))
    return words


def _chains(service: ServicePort) -> str:
    """The service's chains; those of one hash as `KUBE-{SVC,EXT}-HASH`, which a shell expands again."""
    names = service.chains
    known = list(dict.fromkeys(name for name in (names.service, names.local, names.external, names.firewall) if name))
    parts = [name.rsplit("-", 1) for name in known]
    if len(known) > 1 and len({part[-1] for part in parts}) == 1 and all(name.startswith("KUBE-") for name in known):
        roles = ",".join(part[0].removeprefix("KUBE-") for part in parts)
        return f"KUBE-{{{roles}}}-{parts[0][-1]}"
    return " ".join(known)


def _row(label: str, words: Sequence[Span], tail: str = "", children: Sequence[Node] = ()) -> Node:
    return Node([(label.ljust(LABEL_WIDTH), "label"), *words], tail, LABEL_WIDTH, list(children))


def _identity(service: ServicePort, view: View) -> Iterator[Node]:
    """In a fragment, the hash in the chain's name vouches for the service's."""
    spelling = spelling_in_hash(service) if view.fragment else None
    if spelling is not None:
        yield _row("name", sentence(f"verified: hash of `{escape(spelling)}`, {escape(service.protocol)}"))


def _frontends(service: ServicePort) -> Iterator[Node]:
    frontends = _in_order(service.frontends)
    addresses = [frontend_address(frontend) for frontend in frontends]
    width = max(map(cells, addresses), default=0)
    for frontend, address in zip(frontends, addresses):
        notes = list(_frontend_notes(service, frontend))
        padding = " " * (width - cells(address) + 2) if notes else ""
        yield _row(KIND_WORDS[frontend.kind], [(address + padding, "address"), *notes], f"line {frontend.rule.line}")


def _in_order(frontends: Sequence[Frontend]) -> list[Frontend]:
    return sorted(frontends, key=lambda frontend: _KIND_ORDER[frontend.kind])


def _frontend_notes(service: ServicePort, frontend: Frontend) -> Iterator[Span]:
    said = verdict_words(service, frontend)
    if said is not None:
        yield from sentence(*said)
    elif frontend.kind is FrontendKind.EXTERNAL:
        yield from sentence("an external IP or a load balancer's")
    ranges = ranges_words(frontend)
    if ranges:
        yield from sentence(f"; {ranges}" if said is not None else ranges)


def _policies(service: ServicePort) -> Iterator[Node]:
    if service.internal_policy is TrafficPolicy.LOCAL:
        yield _row("policy", sentence("internal Local: only this node's endpoints"))
    if service.external_policy is TrafficPolicy.LOCAL:
        yield _row("policy", sentence("external Local: from outside, only this node's endpoints"))
    if service.health_check_node_port is not None:
        yield _row("health check", [(f"node port {service.health_check_node_port}", "")])


def _affinity(service: ServicePort, view: View) -> Iterator[Node]:
    seconds = service.affinity_seconds
    if seconds is None:
        return
    words = f"ClientIP, {duration(seconds)}, renewed by each new connection"
    sticky = sum(endpoint.affinity_timeout is not None for endpoint in service.endpoints)
    count = len(service.endpoints)
    if sticky < count:
        words += f"; {'known' if view.fragment else 'ONLY'} for {sticky} of {count} endpoints"
    yield _row("affinity", sentence(words))


def _distributions(service: ServicePort, view: View) -> Iterator[Node]:
    """The endpoints behind each balancer, that of the ClusterIP first; balancers that spread alike are shown once."""
    alike: list[tuple[dict[str, float], list[Balancer]]] = []
    for balancer in service.balancers:
        chances = {share.chain: share.probability for share in balancer.shares}
        if not chances and service.frontends:
            continue  # the frontends' verdicts have said so
        for known, members in alike:
            if known == chances:
                members.append(balancer)
                break
        else:
            alike.append((chances, [balancer]))
    alike.sort(key=lambda each: not _serves_cluster_ip(service, each[1]))
    plain = len(alike) == 1 and (not service.frontends or _serves_cluster_ip(service, alike[0][1]))
    shown: set[str] = set()
    for chances, members in alike:
        users = "" if plain else _users(service, {balancer.chain for balancer in members})
        yield _distribution(service, members[0], users, shown, view)
        shown.update(chances)


def _serves_cluster_ip(service: ServicePort, balancers: Sequence[Balancer]) -> bool:
    chains = {balancer.chain for balancer in balancers}
    return any(each.kind is FrontendKind.CLUSTER_IP and each.balancer in chains for each in service.frontends)


def _users(service: ServicePort, chains: set[str]) -> str:
    """Which connections these chains spread: `ClusterIP; NodePort from outside`.

    Inside are pods and the node itself, as far as the rules single them out (kube-proxy up to 1.14: pods alone).
    """
    everyone, outside, inside = list[str](), list[str](), list[str]()
    for frontend in _in_order(service.frontends):
        kind, node = KIND_WORDS[frontend.kind], frontend.node_balancer or frontend.balancer
        if frontend.balancer in chains and frontend.verdict is Verdict.BALANCE:
            (everyone if node in chains else outside).append(kind)
        elif node in chains:
            inside.append(kind)
    groups = ((everyone, ""), (outside, " from outside"), (inside, " from inside"))
    words = [both(list(dict.fromkeys(kinds))) + where for kinds, where in groups if kinds]
    return "; ".join(words) or " and ".join(sorted(map(escape, chains)))


def _distribution(service: ServicePort, balancer: Balancer, users: str, shown: set[str], view: View) -> Node:
    by_chain = {endpoint.chain: endpoint for endpoint in service.endpoints}
    pairs = [(share, by_chain.get(share.chain)) for share in balancer.shares]
    children = _endpoints(service, pairs, shown, view)
    if balancer.unmatched > _NOTHING:
        children.append(_leak(balancer, view))
    count = str(len(balancer.shares) or "none")
    even = evenness([share.probability for share in balancer.shares])
    said = ", ".join(word for word in (count, even, users and f"for {users}") if word)
    return _row("endpoints", sentence(said), children=children)


def _leak(balancer: Balancer, view: View) -> Node:
    share = (f"{percent(balancer.unmatched)}  ", "bad")
    if balancer.fallback_drop:
        return Node([share, *sentence("marked for dropping, as no local endpoint is left", "bad")], hang=2)
    if view.fragment:
        return Node([share, *sentence("not accounted for: rules may be missing from this text", "unknown")], hang=2)
    return Node([share, *sentence("match no rule and pass on UN-DNATed, to the service's own address", "bad")], hang=2)


def _endpoints(
    service: ServicePort, pairs: Sequence[tuple[Share, Endpoint | None]], shown: set[str], view: View
) -> list[Node]:
    """One entry each; what is known of an endpoint is said where it is first shown."""
    chances = percents([share.probability for share, _ in pairs])
    addresses = [
        endpoint_address(endpoint) if endpoint is not None else escape(share.endpoint or share.chain)
        for share, endpoint in pairs
    ]
    chance_width = max(map(len, chances), default=0)
    located = [endpoint is not None and endpoint.address is not None for _, endpoint in pairs]
    address_width = max((cells(address) for address, known in zip(addresses, located) if known), default=0)
    places = _places(service, pairs, view)
    place_width = max(map(len, places), default=0)
    hairpins = {each.hairpin for (_, each), known in zip(pairs, located) if each is not None and known}
    hairpin_width = max((len(_HAIRPIN[hairpin][0]) for hairpin in hairpins), default=0)
    nodes = []
    for (share, endpoint), chance, address, place, known in zip(pairs, chances, addresses, places, located):
        words: list[Span] = [(chance.rjust(chance_width), "share")]
        words.append((f"  {address}" + " " * (address_width - cells(address)), "address" if known else "unknown"))
        tail = ""
        if endpoint is not None and share.chain not in shown:
            tail = f"line {endpoint.rule.line}"
            if place_width:
                words.append((f"  {place.ljust(place_width)}", "place"))
            if known:
                words += _endpoint_details(endpoint, hairpin_width, view)
        nodes.append(Node(words, tail, hang=chance_width + 2))
    return nodes


def _places(service: ServicePort, pairs: Sequence[tuple[Share, Endpoint | None]], view: View) -> list[str]:
    """`local` or `remote` for each endpoint; "" where the text cannot tell.

    kube-proxy puts every usable endpoint of its node into the local chain, so that the others are elsewhere.
    """
    complete = not view.fragment and any(balancer.scope is Scope.LOCAL for balancer in service.balancers)
    elsewhere = "remote" if complete else ""
    return ["local" if endpoint is not None and endpoint.local else elsewhere for _, endpoint in pairs]


_HAIRPIN: dict[bool | None, Span] = {
    True: ("hairpin ok", "good"),
    False: ("hairpin MISSING", "bad"),
    None: ("hairpin unknown", "unknown"),
}


def _endpoint_details(endpoint: Endpoint, hairpin_width: int, view: View) -> list[Span]:
    hairpin, style = _HAIRPIN[endpoint.hairpin]
    words = [(f"  {hairpin.ljust(hairpin_width)}", style)]
    if endpoint.packets is not None:
        words.append((f"  {plural(f'{endpoint.packets:,}', 'packet')}".ljust(13), "counter"))
    if view.chains:
        words.append((f"  {escape(endpoint.chain)}", "chain"))
    return words


def _masquerade(service: ServicePort, view: View) -> Iterator[Node]:
    facts, said = service.masquerade, list[str]()
    without = sum(endpoint.hairpin is False for endpoint in service.endpoints)
    if facts.hairpin:
        said.append("hairpin")
    elif without:
        said.append(f"hairpin NOT for {without} of {len(service.endpoints)} endpoints")
    if facts.all:
        said.append("every ClusterIP connection")
    elif facts.off_cluster is not None:
        where = escape(facts.off_cluster)
        said.append(f"ClusterIP where `{where}`" if where[:1] in ("-", "!") else f"ClusterIP from outside {where}")
    outside = [frontend for frontend in service.frontends if frontend.kind is not FrontendKind.CLUSTER_IP]
    kinds = both(list(dict.fromkeys(KIND_WORDS[each.kind] for each in outside if each.verdict is Verdict.BALANCE)))
    if kinds and service.external_policy is TrafficPolicy.LOCAL:
        said.append(f"{kinds} not (policy Local)")
    elif kinds and service.external_policy is TrafficPolicy.CLUSTER:
        said.append(f"{kinds} always (policy Cluster)")
    if said:
        yield _row("masqueraded", sentence("; ".join(said)))
    elif service.endpoints and not view.fragment:
        yield _row("masqueraded", sentence("never"))
