"""One service port as a tree: its frontends, what happens to connections, and its endpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.analyzers.names import spelling_in_hash
from ipt_explain.columns import column
from ipt_explain.model import Backend
from ipt_explain.render.explain.distributions import distributions
from ipt_explain.render.explain.service_words import (
    KIND_WORDS,
    STATE_WORDS,
    View,
    frontend_address,
    loss_rows,
    ranges_words,
    row,
    verdict_words,
)
from ipt_explain.render.text.outline import Span, TreeNode, sentence
from ipt_explain.render.text.safe import cells, escape
from ipt_explain.services.losses import answering
from ipt_explain.services.ports import Frontend, FrontendKind, FrontendVerdict, ServicePort, ServiceState, TrafficPolicy
from ipt_explain.words import both, either

_KIND_ORDER = {kind: number for number, kind in enumerate(KIND_WORDS)}


def service_tree(service: ServicePort, view: View) -> TreeNode:
    """The tree of one service port."""
    rows = [
        *_identity(service, view),
        *_frontends(service),
        *_policies(service),
        *_affinity(service, view),
        *loss_rows(service, view),
        *distributions(service, view),
        *_masquerade(service, view),
    ]
    return TreeNode(_title(service), hang=2, children=rows)


def _title(service: ServicePort) -> list[Span]:
    words: list[Span] = [(escape(service.label), "name")]
    if service.protocol and (service.name is not None or service.backend is not Backend.IPVS):
        words.append((f" · {escape(service.protocol)}", ""))
    if service.name is None and service.backend is not Backend.IPVS:
        words.append((" · its name is not in this input", "unknown"))
    neighbour = answering(service)
    if neighbour is not None:
        words.append((f" · answered by {escape(neighbour)}", "good"))
    elif service.state is not ServiceState.SERVING:
        phrase, style = STATE_WORDS[service.state]
        words.append((f" · {phrase}", style))
    chains = _chains(service)
    if chains and chains != service.label:
        first, *others = escape(chains).split(" ")
        words += [(f" · {first}", "chain"), *((f" {each}", "chain") for each in others)]
    return words


def _chains(service: ServicePort) -> str:
    """The service's chains; those with one hash as `KUBE-{SVC,EXT}-HASH`, or in nftables `{service,local}-HASH-NAME`,
    which a shell expands."""
    names = service.chains
    known = list(dict.fromkeys(name for name in (names.service, names.local, names.external, names.firewall) if name))
    if len(known) > 1 and service.backend is Backend.NFTABLES:
        ends = {name.partition("-")[2] for name in known}
        if len(ends) == 1:
            return f"{{{','.join(name.partition('-')[0] for name in known)}}}-{ends.pop()}"
    parts = [name.rsplit("-", 1) for name in known]
    if len(known) > 1 and len({part[-1] for part in parts}) == 1 and all(name.startswith("KUBE-") for name in known):
        roles = ",".join(part[0].removeprefix("KUBE-") for part in parts)
        return f"KUBE-{{{roles}}}-{parts[0][-1]}"
    return " ".join(known)


def _identity(service: ServicePort, view: View) -> Iterator[TreeNode]:
    """In a fragment, whether the hash in the chain's name confirms the service's name."""
    spelling = spelling_in_hash(service) if view.fragment else None
    if spelling is not None:
        yield row("name", sentence(f"verified: hash of `{escape(spelling)}`, {escape(service.protocol)}"))


def _frontends(service: ServicePort) -> Iterator[TreeNode]:
    frontends = in_order(service.frontends)
    addresses = [frontend_address(frontend) for frontend in frontends]
    width = max(map(cells, addresses), default=0)
    for frontend, address in zip(frontends, addresses):
        notes = list(_frontend_notes(service, frontend))
        padding = " " * (width - cells(address) + 2) if notes else ""
        label = "address" if _has_unknown_kind(service, frontend) else KIND_WORDS[frontend.kind]
        yield row(label, [(address + padding, "address"), *notes], f"line {frontend.evidence.line}")


def _has_unknown_kind(service: ServicePort, frontend: Frontend) -> bool:
    """Whether the kind of an IPVS address is unknown because no set shows it."""
    return frontend.kind is FrontendKind.EXTERNAL and service.backend is Backend.IPVS


def in_order(frontends: Sequence[Frontend]) -> list[Frontend]:
    """Frontends by kind, the ClusterIP first."""
    return sorted(frontends, key=lambda frontend: _KIND_ORDER[frontend.kind])


def _frontend_notes(service: ServicePort, frontend: Frontend) -> Iterator[Span]:
    words = verdict_words(service, frontend)
    if words is not None:
        yield from sentence(*words)
    elif _has_unknown_kind(service, frontend):
        yield from sentence("kind unknown: no ipset shows it")
    elif frontend.kind is FrontendKind.EXTERNAL:
        yield from sentence("an external IP or a load balancer's")
    ranges = ranges_words(frontend)
    if ranges:
        yield from sentence(f"; {ranges}" if words is not None else ranges)


def _policies(service: ServicePort) -> Iterator[TreeNode]:
    if service.internal_policy is TrafficPolicy.LOCAL:
        yield row("policy", sentence("internal Local: only this node's endpoints"))
    if service.external_policy is TrafficPolicy.LOCAL:
        yield row("policy", sentence("external Local: from outside, only this node's endpoints"))
    if service.health_check_node_port is not None:
        yield row("health check", [(f"node port {service.health_check_node_port}", "")])


def _affinity(service: ServicePort, view: View) -> Iterator[TreeNode]:
    seconds = service.affinity_seconds
    if seconds is None:
        return
    from ipt_explain.words.durations import duration

    words = f"ClientIP, {duration(seconds)}, renewed by each new connection"
    sticky = sum(endpoint.affinity_timeout is not None for endpoint in service.endpoints)
    count = len(service.endpoints)
    if sticky < count:
        words += f"; {'known' if view.fragment else 'ONLY'} for {sticky} of {count} endpoints"
    yield row("affinity", sentence(words))


def _masquerades(frontends: Sequence[Frontend], kind: FrontendKind) -> bool:
    """Whether marked connections from outside to addresses of this kind are masqueraded, as far as is known."""
    return not any(
        frontend.kind is kind and frontend.fates is not None and frontend.fates.outside.masqueraded is False
        for frontend in frontends
    )


def _masquerade(service: ServicePort, view: View) -> Iterator[TreeNode]:
    facts, phrases = service.masquerade, list[str]()
    without = list(column(service.endpoints, "hairpin")).count(False)
    if facts.hairpin:
        phrases.append("hairpin")
    elif without:
        count = len(service.endpoints)
        phrases.append(f"hairpin (NOT for {without} of {count} endpoints)" if without < count else "NOT hairpin")
    unless = "" if _masquerades(service.frontends, FrontendKind.CLUSTER_IP) else "NOT "
    if facts.all:
        phrases.append(f"{unless}ClusterIP" if unless else "every ClusterIP connection")
    elif facts.off_cluster is not None:
        where = escape(facts.off_cluster)
        condition = f"where `{where}`" if where[:1] in ("-", "!") else f"from outside {where}"
        phrases.append(f"{unless}ClusterIP {condition}")
    outside = [frontend for frontend in service.frontends if frontend.kind is not FrontendKind.CLUSTER_IP]
    balanced = [each for each in outside if each.verdict is FrontendVerdict.BALANCE]
    kinds = list(dict.fromkeys(KIND_WORDS[each.kind] for each in balanced))
    if kinds and service.external_policy is TrafficPolicy.LOCAL:
        phrases.append(f"not {either(kinds)} (policy Local)")
    elif kinds and service.external_policy is TrafficPolicy.CLUSTER:
        works = all(_masquerades(balanced, each.kind) for each in balanced)
        phrases.append(f"{both(kinds)} always (policy Cluster)" if works else f"NOT {either(kinds)} (policy Cluster)")
    if phrases:
        yield row("masqueraded", sentence("; ".join(phrases)))
    elif service.endpoints and facts.all is False and not kinds and not view.fragment:
        yield row("masqueraded", sentence("never"))
