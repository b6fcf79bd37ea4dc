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

from ipt_explain.analyzers.facts import FrontendKind, Scope, TrafficPolicy, Verdict
from ipt_explain.compare.dumps import NodeView
from ipt_explain.compare.services import TOLERANCE
from ipt_explain.compare.skeleton import HOOK, Skeleton
from ipt_explain.compare.views import Address, AffinityView, FrontendView, MasqueradeView, Pool, ServiceView
from ipt_explain.errors import UsageError
from ipt_explain.model import Family

SCHEMA = "ipt-explain/digest/1"

_KINDS = {
    FrontendKind.CLUSTER_IP: "c",
    FrontendKind.EXTERNAL_IP: "e",
    FrontendKind.LOAD_BALANCER: "l",
    FrontendKind.EXTERNAL: "x",
    FrontendKind.NODE_PORT: "n",
}
_KIND_OF = {letter: kind for kind, letter in _KINDS.items()}
_POLICIES = {TrafficPolicy.CLUSTER: "C", TrafficPolicy.LOCAL: "L"}
_POLICY_OF = {letter: policy for policy, letter in _POLICIES.items()}
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
            "services": {key: json.loads(record) for key, record in sorted(self.services.items())},
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
        return Digest(
            str(document["node"]),
            {str(family): bool(complete) for family, complete in document["families"].items()},
            {str(key): _text(record) for key, record in document["services"].items()},
            {str(key): _text(record) for key, record in document["chains"].items()},
        )
    except (KeyError, TypeError, AttributeError):
        raise UsageError(
            f"{source}: this digest lacks a part; write it again with `ipt-explain compare --digest`"
        ) from None


def _text(record: object) -> str:
    return json.dumps(record, separators=(",", ":"), sort_keys=True)


def _service_record(view: ServiceView) -> dict[str, Any]:
    """The record of a service port. Keys that hold what nearly all services have are left out."""
    internal_local = view.internal_policy is TrafficPolicy.LOCAL
    pool = view.pool(Scope.CLUSTER)
    record: dict[str, Any] = {"f": [_frontend_record(view, *item) for item in sorted(view.frontends.items())]}
    for letter, policy in (("i", view.internal_policy), ("x", view.external_policy)):
        if policy is not None:
            record[letter] = _POLICIES[policy]
    if view.health_check_node_port is not None:
        record["k"] = view.health_check_node_port
    if pool is None:
        return record
    record["e"] = " ".join(_packed(pool))
    if not _is_even(pool):
        record["p"] = [round(chance, 5) for _, chance in pool.shares]
        record["u"] = round(pool.unmatched, 5)
    if view.affinity is not None:
        without = sorted(pool.endpoints.intersection(view.affinity.without))
        record["a"] = [list(view.affinity.seconds), without] if without else list(view.affinity.seconds)
    hairpin = sorted(pool.endpoints.intersection(view.masquerade.without_hairpin))
    if hairpin:
        record["h"] = hairpin
    if not internal_local:
        if view.masquerade.all:
            record["m"] = 1
        elif view.masquerade.off_cluster is not None:
            record["m"] = 2
    return record


def _frontend_record(view: ServiceView, address: Address, frontend: FrontendView) -> str:
    host, port = address
    text = f"{_KINDS[frontend.kind]}{host},{port}"
    policy = view.internal_policy if frontend.kind is FrontendKind.CLUSTER_IP else view.external_policy
    if policy is TrafficPolicy.LOCAL and frontend.verdict in (Verdict.BALANCE, Verdict.DROP):
        text += f"={_DEPENDS_ON_NODE}"
    elif frontend.verdict is not Verdict.BALANCE:
        text += f"={frontend.verdict.value}"
    return text + "".join(f"<{each}" for each in frontend.source_ranges)


def service_of(key: str, record: str) -> ServiceView:
    """The view that a record holds, as far as it does."""
    family_word, protocol, label = key.split(" ", 2)
    fields: dict[str, Any] = json.loads(record)
    pools: tuple[Pool, ...] = ()
    if "e" in fields:
        endpoints = list(_unpacked(fields["e"]))
        chances = fields.get("p") or [1.0 / len(endpoints)] * len(endpoints)
        pools = (Pool(Scope.CLUSTER, tuple(zip(endpoints, chances)), fields.get("u", 0.0)),)
    frontends = dict(_frontend_of(text, pools[0] if pools else None) for text in fields.get("f", ()))
    cluster = next((place for place, each in frontends.items() if each.kind is FrontendKind.CLUSTER_IP), (None, None))
    affinity = None
    if "a" in fields:
        packed = fields["a"]
        nested = bool(packed) and isinstance(packed[0], list)
        affinity = AffinityView(tuple(packed[0] if nested else packed), tuple(packed[1]) if nested else ())
    masquerade = MasqueradeView(
        None, tuple(fields.get("h", ())), fields.get("m") == 1, "the pod network" if fields.get("m") == 2 else None
    )
    return ServiceView(
        label, True, Family(family_word), protocol, cluster[0], cluster[1], frontends, pools, affinity,
        _POLICY_OF.get(fields.get("i", "")), _POLICY_OF.get(fields.get("x", "")), fields.get("k"), masquerade,
    )  # fmt: skip


def _frontend_of(text: str, pool: Pool | None) -> tuple[Address, FrontendView]:
    text, *ranges = text.split("<")
    place, _, verdict_word = text[1:].partition("=")
    host, _, port = place.rpartition(",")
    balanced = verdict_word in ("", _DEPENDS_ON_NODE)
    verdict = Verdict.BALANCE if balanced else Verdict(verdict_word)
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
