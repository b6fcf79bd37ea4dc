"""A service port's record in a digest: the behaviour that all nodes should share, as compact as possible.

Legitimate differences under traffic policy Local are left out: endpoints on this node, and whether it has any.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ipt_explain.compare.fleet.records.canonical import compact
from ipt_explain.compare.services.endpoints import TOLERANCE
from ipt_explain.compare.services.fabric import Fabric
from ipt_explain.compare.services.losses import LossCause
from ipt_explain.compare.services.views import Address, AffinityView, FrontendView, MasqueradeView, Pool, ServiceView
from ipt_explain.errors import UsageError
from ipt_explain.model import Family
from ipt_explain.services.ports import FrontendKind, FrontendVerdict, ProxyMode, Scope, TrafficPolicy

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
_ID_LENGTH = 12
_CAUSE = "cause"
_POD_NETWORK = "POD-NETWORK"


class Fabrics:
    """The rules other than balancing of all service ports. Thousands share a few forms, each stored once by hash."""

    def __init__(self) -> None:
        self.forms: dict[str, tuple[str, ...]] = {}
        self._ids: dict[tuple[str, ...], str] = {}

    def id_of(self, view: ServiceView) -> str | None:
        """The hash of a service port's rules other than balancing; None if it has none, or they depend on the node."""
        form = _fabric_form(view)
        if len(form) < 2:
            return None
        found = self._ids.get(form)
        if found is None:
            found = self._ids[form] = _hash_of(form)
            self.forms[found] = form
        return found


    def id_of_cause(self, cause: LossCause) -> str:
        """The hash of a cause of losses, which thousands of service ports may share."""
        form = (_CAUSE, cause.how, cause.verdict, cause.place, cause.rule, cause.dnat)
        found = self._ids.get(form)
        if found is None:
            found = self._ids[form] = _hash_of(form)
            self.forms[found] = form
        return found


def _hash_of(form: Fabric) -> str:
    return hashlib.sha256("\n".join(form).encode("utf-8", "surrogateescape")).hexdigest()[:_ID_LENGTH]


def _fabric_form(view: ServiceView) -> Fabric:
    """The rules with placeholders for the service port's own addresses, ports and endpoints."""
    if TrafficPolicy.LOCAL in (view.internal_policy, view.external_policy) or not view.fabric:
        return ()
    words: dict[str, str] = {}
    for (host, port), frontend in view.frontends.items():
        words[str(port)] = "NODE-PORT" if not host else "PORT"
        if host:
            words[host] = words[f"{host}/32"] = words[f"{host}/128"] = frontend.kind.value.upper()
    endpoints = view.endpoints()
    for endpoint in endpoints:
        words[endpoint] = "ENDPOINT"
        host = endpoint.rpartition(":")[0].strip("[]")
        words[f"{host}/32"] = words[f"{host}/128"] = "ENDPOINT-IP"
    if view.masquerade.off_cluster is not None:
        words[view.masquerade.off_cluster] = _POD_NETWORK
    lines: dict[str, int] = {}
    for text in view.fabric[1:]:
        line = " ".join(words.get(word, word) for word in text.split(" "))
        lines[line] = lines.get(line, 0) + 1
    per_endpoint = len(endpoints)
    return (view.fabric[0], *(f"{_times(count, per_endpoint, line)}{line}" for line, count in lines.items()))


def _times(count: int, endpoints: int, line: str) -> str:
    """How often a rule occurs: once, once per endpoint, or some other number."""
    if "ENDPOINT" in line and count == endpoints:
        return ""
    return "" if count == 1 and "ENDPOINT" not in line else f"{count}x "


def service_record(view: ServiceView, fabrics: Fabrics) -> str:
    """The record of a service port, as JSON text."""
    return compact(_service_record(view, fabrics))


def _service_record(view: ServiceView, fabrics: Fabrics) -> str | list[Any]:
    """The record of a service port: `FRONTENDS|ENDPOINTS`, and a mapping of rare properties if it has any."""
    pool = view.pool(Scope.CLUSTER)
    frontends = " ".join(_frontend_record(view, *item) for item in sorted(view.frontends.items()))
    endpoints = "" if pool is None else " ".join(_packed(pool))
    rare = _rarities(view, pool)
    fabric = fabrics.id_of(view)
    if fabric is not None:
        rare["f"] = fabric
    if view.losses:
        rare["l"] = {fabrics.id_of_cause(cause): sorted(map(list, lost)) for cause, lost in view.losses.items()}
    return [f"{frontends}|{endpoints}", rare] if rare else f"{frontends}|{endpoints}"


def _rarities(view: ServiceView, pool: Pool | None) -> dict[str, Any]:
    """Rare properties: policies other than Cluster ("?" if unknown), health check port, uneven chances, affinity,
    endpoints without hairpin, and ClusterIPs that are masqueraded for all clients or none instead of for non-pods."""
    rare: dict[str, Any] = {}
    if view.internal_policy is not TrafficPolicy.CLUSTER and view.endpoints():
        rare["i"] = "L" if view.internal_policy is TrafficPolicy.LOCAL else "?"
    elif view.internal_policy is TrafficPolicy.LOCAL:
        rare["i"] = "L"
    if view.external_policy is TrafficPolicy.LOCAL:
        rare["x"] = "L"
        if view.mode is not ProxyMode.IPTABLES:
            rare["o"] = view.mode.value  # other modes' rules do not show health check ports
    if view.health_check_node_port is not None:
        rare["k"] = view.health_check_node_port
    if pool is None or not pool.shares:
        return rare
    if not _is_even(pool):
        rare["p"] = [None if chance is None else round(chance, 5) for _, chance in pool.shares]
        rare["u"] = None if pool.unmatched is None else round(pool.unmatched, 5)
    if view.affinity is not None:
        without = sorted(pool.endpoints.intersection(view.affinity.without))
        rare["a"] = [list(view.affinity.seconds), without] if without else list(view.affinity.seconds)
    hairpin = sorted(pool.endpoints.intersection(view.masquerade.without_hairpin))
    if hairpin:
        rare["h"] = hairpin
    if view.internal_policy is not TrafficPolicy.LOCAL and (view.masquerade.all or view.masquerade.off_cluster is None):
        rare["m"] = 1 if view.masquerade.all else 0
    conditions = _external_conditions(view)
    if conditions is not None and conditions != _USUAL:
        rare["M"] = list(conditions)
    return rare


_USUAL = ("always",)


def _external_conditions(view: ServiceView) -> tuple[str, ...] | None:
    """When connections to external addresses are masqueraded; None if that depends on the node's own endpoints."""
    conditions = view.masquerade.external
    if conditions is None or view.external_policy is TrafficPolicy.LOCAL:
        return None
    network = view.masquerade.off_cluster
    return conditions if network is None else tuple(each.replace(network, _POD_NETWORK) for each in conditions)


def _frontend_record(view: ServiceView, address: Address, frontend: FrontendView) -> str:
    host, port = address
    text = f"{_KINDS[frontend.kind]}{host},{port}"
    policy = view.internal_policy if frontend.kind is FrontendKind.CLUSTER_IP else view.external_policy
    if policy is TrafficPolicy.LOCAL and frontend.verdict in (FrontendVerdict.BALANCE, FrontendVerdict.DROP):
        text += f"={_DEPENDS_ON_NODE}"
    elif frontend.verdict is not FrontendVerdict.BALANCE:
        text += f"={frontend.verdict.value}"
    return text + "".join(f"<{each}" for each in frontend.source_ranges)


def service_of(key: str, record: str, fabrics: Mapping[str, Fabric] | None = None) -> ServiceView:
    """The view in a record, without what records leave out. Raises UsageError for a damaged one."""
    try:
        return _service_of(key, record, fabrics or {})
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise UsageError(f"the record of {key} in a digest is damaged; write the digest again") from None


def _service_of(key: str, record: str, fabrics: Mapping[str, Fabric]) -> ServiceView:
    family_word, _, protocol, label = key.split(" ", 3)
    packed: Any = json.loads(record)
    places, rare = (packed, {}) if isinstance(packed, str) else (packed[0], _checked(packed[1]))
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
        None if "m" in rare else _POD_NETWORK,
        None if rare.get("x") == "L" else tuple(map(str, rare.get("M", _USUAL))),
    )
    return ServiceView(
        label, True, Family(family_word), protocol, cluster[0], cluster[1], frontends, pools, affinity,
        _POLICY_OF[rare.get("i", "C")], _POLICY_OF[rare.get("x", "C")], rare.get("k"), masquerade,
        fabrics.get(rare.get("f", ""), ()),
        {
            _cause_of(fabrics[identity]): frozenset((str(name), str(place), float(part)) for name, place, part in lost)
            for identity, lost in rare.get("l", {}).items()
        },
        ProxyMode(rare.get("o", ProxyMode.IPTABLES.value)),
    )  # fmt: skip


def _checked(rare: Any) -> dict[str, Any]:
    """The rare properties, with their types checked: a digest may come from anywhere. Raises ValueError."""
    for key, value in dict(rare).items():
        if key == "a":
            nested = isinstance(value, list) and len(value) == 2 and isinstance(value[0], list)
            fits = _all_are(value[0], int) and _all_are(value[1], str) if nested else _all_are(value, int)
        elif key == "p":
            fits = isinstance(value, list) and _all_are([each for each in value if each is not None], float, int)
        elif key in ("h", "M") and value != 0:
            fits = _all_are(value, str)
        elif key == "u":
            fits = value is None or _all_are([value], float, int)
        elif key == "l":
            fits = isinstance(value, dict) and all(
                isinstance(lost, list) and all(_is_loss(each) for each in lost) for lost in value.values()
            )
        else:
            fits = _all_are([value], str, int)
        if not fits:
            raise ValueError(key)
    return dict(rare)


def _all_are(values: Any, *kinds: type) -> bool:
    """Whether a list holds only values of these types; true and false do not count as numbers."""
    return isinstance(values, list) and all(isinstance(each, kinds) and not isinstance(each, bool) for each in values)


def _is_loss(value: Any) -> bool:
    """Whether a value is a frontend, a vantage point and a share."""
    return (
        isinstance(value, list) and len(value) == 3 and _all_are(value[:2], str) and _all_are(value[2:], float, int)
    )


def _cause_of(form: Fabric) -> LossCause:
    _, how, verdict, place, rule, dnat = form
    return LossCause(how, verdict, place, rule, dnat)


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
    if pool.unmatched is None or pool.unmatched > TOLERANCE:
        return False
    return all(each is not None and abs(each - chance) <= TOLERANCE for _, each in pool.shares)


def _packed(pool: Pool) -> Iterator[str]:
    """Endpoints, with consecutive ones of the same port grouped: `10.244.1.9,10.244.2.3:8080`."""
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
