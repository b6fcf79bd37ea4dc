"""A node's digest: what it does that every node should do alike, small enough to be gathered from thousands of nodes.

One record a service port, and one a chain that serves all. What traffic policy Local and the node's own addresses make
legitimately different is left out: endpoints on this node, whether it has any, its pod network, its addresses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ipt_explain.compare.dumps import NodeView
from ipt_explain.compare.rulesets.skeleton import HOOK, Skeleton
from ipt_explain.compare.services.differing import TOLERANCE
from ipt_explain.compare.services.views import Address, AffinityView, FrontendView, MasqueradeView, Pool, ServiceView
from ipt_explain.errors import UsageError
from ipt_explain.model import Family
from ipt_explain.services.ports import FrontendKind, FrontendVerdict, Scope, TrafficPolicy

SCHEMA = "ipt-explain/digest/1"

_KINDS = {
    FrontendKind.CLUSTER_IP: "c",
    FrontendKind.EXTERNAL_IP: "e",
    FrontendKind.LOAD_BALANCER: "l",
    FrontendKind.EXTERNAL: "x",
    FrontendKind.NODE_PORT: "n",
}
_KIND_OF = {letter: kind for kind, letter in _KINDS.items()}
_POLICY_OF = {"C": TrafficPolicy.CLUSTER, "L": TrafficPolicy.LOCAL, "?": None}
_DEPENDS_ON_NODE = "node"
_NODE_ADDRESS = re.compile(r" -d [0-9a-fA-F.:]+/(?:32|128)(?= .*-j KUBE-NODEPORTS)")


@dataclass(frozen=True, slots=True)
class Digest:
    """A node's records by key: `ipv4 tcp demo/web:http` for a service port, `ipv4 nat PREROUTING` for a chain.

    `families` are those it has rules for, with whether what it lacks there does not exist.
    """

    node: str
    families: Mapping[str, bool]
    services: Mapping[str, str]
    chains: Mapping[str, str]

    def to_json(self) -> str:
        """The digest as a file: canonical, so that equal nodes have equal files but for their names."""
        document = {
            "schema": SCHEMA,
            "node": self.node,
            "families": dict(sorted(self.families.items())),
            "chains": {key: json.loads(record) for key, record in sorted(self.chains.items())},
            "services": _nested(self.services),
        }
        return json.dumps(document, separators=(",", ":"), ensure_ascii=True) + "\n"


def digest_of(view: NodeView) -> Digest:
    """The digest of a node."""
    families = {family.value: view.complete(family) for family in sorted(view.families, key=lambda each: each.value)}
    services = {}
    for (family, label, protocol, number), service in view.services.items():
        suffix = f" {number}" if number else ""
        services[f"{family.value} {protocol} {label}{suffix}"] = _text(_service_record(service))
    chains = {}
    for (family, backend), skeleton in view.skeletons.items():
        if skeleton.complete:
            place = family.value if backend is None else f"{family.value}/{backend.value}"
            for name, rules in _chain_records(skeleton):
                chains[f"{place} {name}"] = _text(rules)
    return Digest(view.name, families, services, chains)


def read_digest(text: str, source: str) -> Digest | None:
    """The digest that a text holds, None where it is none. Raises UsageError for a damaged one, or another schema's."""
    if not text.lstrip().startswith("{") or '"ipt-explain/digest/' not in text[:200]:
        return None
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError(
            f"{source}: this digest is damaged; write it again with `ipt-explain compare --digest`"
        ) from None
    if document.get("schema") != SCHEMA:
        raise UsageError(
            f"{source}: this digest is of schema {document.get('schema')!r}, not {SCHEMA!r}; write it again"
        )
    try:
        _check_keys(document)
        return Digest(
            str(document["node"]),
            {str(family): bool(complete) for family, complete in document["families"].items()},
            {
                f"{group} {label}": _text(record)
                for group, members in document["services"].items()
                for label, record in members.items()
            },
            {str(key): _text(record) for key, record in document["chains"].items()},
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        raise UsageError(
            f"{source}: this digest lacks a part; write it again with `ipt-explain compare --digest`"
        ) from None


def _check_keys(document: dict[str, Any]) -> None:
    """Raises ValueError for a key that names no family."""
    for key in (*document["families"], *document["services"], *document["chains"]):
        Family(key.partition(" ")[0].partition("/")[0])


def _nested(services: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The records of services by family and protocol."""
    groups: dict[str, dict[str, Any]] = {}
    for key, record in sorted(services.items()):
        family, protocol, label = key.split(" ", 2)
        groups.setdefault(f"{family} {protocol}", {})[label] = json.loads(record)
    return groups


def _text(record: object) -> str:
    return json.dumps(record, separators=(",", ":"), sort_keys=True)


def _service_record(view: ServiceView) -> str | list[Any]:
    """The record of a service port: `FRONTENDS|ENDPOINTS`, and a mapping of what few services have, if there is any."""
    pool = view.pool(Scope.CLUSTER)
    frontends = " ".join(_frontend_record(view, *item) for item in sorted(view.frontends.items()))
    endpoints = "" if pool is None else " ".join(_packed(pool))
    rare = _rarities(view, pool)
    return [f"{frontends}|{endpoints}", rare] if rare else f"{frontends}|{endpoints}"


def _rarities(view: ServiceView, pool: Pool | None) -> dict[str, Any]:
    """Policies other than Cluster ("?" where the rules do not tell), health check port, uneven chances, affinity,
    endpoints without hairpin, and ClusterIPs that are masqueraded for all or none, not just for who is no pod."""
    rare: dict[str, Any] = {}
    if view.internal_policy is not TrafficPolicy.CLUSTER and view.endpoints():
        rare["i"] = "L" if view.internal_policy is TrafficPolicy.LOCAL else "?"
    elif view.internal_policy is TrafficPolicy.LOCAL:
        rare["i"] = "L"
    if view.external_policy is TrafficPolicy.LOCAL:
        rare["x"] = "L"
    if view.health_check_node_port is not None:
        rare["k"] = view.health_check_node_port
    if pool is None or not pool.shares:
        return rare
    if not _is_even(pool):
        rare["p"] = [round(chance, 5) for _, chance in pool.shares]
        rare["u"] = round(pool.unmatched, 5)
    if view.affinity is not None:
        without = sorted(pool.endpoints.intersection(view.affinity.without))
        rare["a"] = [list(view.affinity.seconds), without] if without else list(view.affinity.seconds)
    hairpin = sorted(pool.endpoints.intersection(view.masquerade.without_hairpin))
    if hairpin:
        rare["h"] = hairpin
    if view.internal_policy is not TrafficPolicy.LOCAL and (view.masquerade.all or view.masquerade.off_cluster is None):
        rare["m"] = 1 if view.masquerade.all else 0
    if view.masquerade.external == ():
        rare["M"] = 0
    return rare


def _frontend_record(view: ServiceView, address: Address, frontend: FrontendView) -> str:
    host, port = address
    text = f"{_KINDS[frontend.kind]}{host},{port}"
    policy = view.internal_policy if frontend.kind is FrontendKind.CLUSTER_IP else view.external_policy
    if policy is TrafficPolicy.LOCAL and frontend.verdict in (FrontendVerdict.BALANCE, FrontendVerdict.DROP):
        text += f"={_DEPENDS_ON_NODE}"
    elif frontend.verdict is not FrontendVerdict.BALANCE:
        text += f"={frontend.verdict.value}"
    return text + "".join(f"<{each}" for each in frontend.source_ranges)


def service_of(key: str, record: str) -> ServiceView:
    """The view that a record holds, as far as it does. Raises UsageError for a damaged one."""
    try:
        return _service_of(key, record)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise UsageError(f"the record of {key} in a digest is damaged; write the digest again") from None


def _service_of(key: str, record: str) -> ServiceView:
    family_word, protocol, label = key.split(" ", 2)
    packed: Any = json.loads(record)
    places, rare = (packed, {}) if isinstance(packed, str) else (packed[0], packed[1])
    frontend_texts, _, endpoint_text = places.partition("|")
    pools: tuple[Pool, ...] = ()
    if endpoint_text:
        endpoints = list(_unpacked(endpoint_text))
        chances = rare.get("p") or [1.0 / len(endpoints)] * len(endpoints)
        pools = (Pool(Scope.CLUSTER, tuple(zip(endpoints, chances)), rare.get("u", 0.0)),)
    frontends = dict(_frontend_of(text, pools[0] if pools else None) for text in frontend_texts.split())
    cluster = next((place for place, each in frontends.items() if each.kind is FrontendKind.CLUSTER_IP), (None, None))
    affinity = None
    if "a" in rare:
        nested = isinstance(rare["a"][0], list)
        affinity = AffinityView(tuple(rare["a"][0] if nested else rare["a"]), tuple(rare["a"][1]) if nested else ())
    masquerade = MasqueradeView(
        None,
        tuple(rare.get("h", ())),
        rare.get("m") == 1,
        None if "m" in rare else "the pod network",
        () if "M" in rare else ("as its policy asks",),
    )
    return ServiceView(
        label, True, Family(family_word), protocol, cluster[0], cluster[1], frontends, pools, affinity,
        _POLICY_OF[rare.get("i", "C")], _POLICY_OF[rare.get("x", "C")], rare.get("k"), masquerade,
    )  # fmt: skip


def _frontend_of(text: str, pool: Pool | None) -> tuple[Address, FrontendView]:
    text, *ranges = text.split("<")
    place, _, verdict_word = text[1:].partition("=")
    host, _, port = place.rpartition(",")
    balanced = verdict_word in ("", _DEPENDS_ON_NODE)
    verdict = FrontendVerdict.BALANCE if balanced else FrontendVerdict(verdict_word)
    reached = pool if not verdict_word else None
    return (host, int(port)), FrontendView(_KIND_OF[text[0]], verdict, reached, None, tuple(ranges))


def _is_even(pool: Pool) -> bool:
    chance = 1.0 / len(pool.shares) if pool.shares else 0.0
    return pool.unmatched <= TOLERANCE and all(abs(each - chance) <= TOLERANCE for _, each in pool.shares)


def _packed(pool: Pool) -> Iterator[str]:
    """Endpoints, those that follow each other with the same port together: `10.244.1.9,10.244.2.3:8080`."""
    hosts: list[str] = []
    last = ""
    for endpoint, _ in pool.shares:
        host, _, port = endpoint.rpartition(":")
        if port != last and hosts:
            yield f"{','.join(hosts)}:{last}"
            hosts = []
        hosts.append(host)
        last = port
    if hosts:
        yield f"{','.join(hosts)}:{last}"


def _unpacked(text: str) -> Iterator[str]:
    for group in text.split():
        hosts, _, port = group.rpartition(":")
        for host in hosts.split(","):
            yield f"{host}:{port}"


def _chain_records(skeleton: Skeleton) -> Iterator[tuple[str, list[str]]]:
    for (table, chain), policy in skeleton.policies.items():
        yield f"{table} {chain} policy", [policy]
    for (table, chain), rules in skeleton.hooks.items():
        hooks = sorted({text[1:] for text in rules if text.startswith(HOOK)})
        if hooks:
            yield f"{table} {chain}", hooks
    for (table, chain), rules in skeleton.system.items():
        yield f"{table} {chain}", sorted(set(_without_node_addresses(rules)))


def _without_node_addresses(rules: tuple[str, ...]) -> Iterator[str]:
    """With --nodeport-addresses, kube-proxy names the node's own addresses."""
    for text in rules:
        yield _NODE_ADDRESS.sub("", text)
