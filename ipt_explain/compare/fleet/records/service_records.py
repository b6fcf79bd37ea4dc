"""A service port's record in a digest: the behaviour that all nodes should share, as compact as possible.

A record is `FRONTENDS|ENDPOINTS`, followed by a mapping of rare properties if it has any. Legitimate differences under
traffic policy Local are left out: endpoints on this node, and whether it has any.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ipt_explain.compare.fleet.records import rarities
from ipt_explain.compare.fleet.records.canonical import compact
from ipt_explain.compare.fleet.records.fabrics import POD_NETWORK, Fabrics, cause_of
from ipt_explain.compare.fleet.records.keys import RecordKey
from ipt_explain.compare.fleet.records.packing import (
    packed_endpoints,
    packed_frontends,
    unpacked_endpoints,
    unpacked_frontends,
)
from ipt_explain.compare.services.endpoints import TOLERANCE
from ipt_explain.compare.services.fabric import Fabric
from ipt_explain.compare.services.views import AffinityView, Kept, MasqueradeView, Pool, ServiceView
from ipt_explain.errors import UsageError
from ipt_explain.services.ports import FrontendKind, ProxyMode, Scope, TrafficPolicy

_POLICY_OF = {"C": TrafficPolicy.CLUSTER, "L": TrafficPolicy.LOCAL, "?": None}
_USUAL, _USUAL_IF_LOCAL = ("always",), ("-m addrtype --src-type LOCAL",)


def service_record(view: ServiceView, fabrics: Fabrics) -> str:
    """The record of a service port, as JSON text."""
    pool = view.pool(Scope.CLUSTER)
    places = f"{packed_frontends(view)}|{'' if pool is None else packed_endpoints(pool.names)}"
    rare = _rare(view, pool)
    fabric = fabrics.id_of(view)
    if fabric is not None:
        rare[rarities.FABRIC] = fabric
    if view.losses:
        rare[rarities.LOSSES] = {
            fabrics.id_of_cause(cause): sorted(map(list, lost)) for cause, lost in view.losses.items()
        }
    return compact([places, rare] if rare else places)


def _rare(view: ServiceView, pool: Pool | None) -> dict[str, Any]:
    """The rare properties, except rules other than balancing, and losses."""
    rare: dict[str, Any] = {}
    if view.internal_policy is not TrafficPolicy.CLUSTER and view.endpoints():
        rare[rarities.INTERNAL_POLICY] = "L" if view.internal_policy is TrafficPolicy.LOCAL else "?"
    elif view.internal_policy is TrafficPolicy.LOCAL:
        rare[rarities.INTERNAL_POLICY] = "L"
    if view.external_policy is TrafficPolicy.LOCAL:
        rare[rarities.EXTERNAL_POLICY] = "L"
        if view.mode is not ProxyMode.IPTABLES:
            rare[rarities.OTHER_MODE] = view.mode.value  # other modes' rules do not show health check ports
    if view.health_check_node_port is not None:
        rare[rarities.HEALTH_CHECK] = view.health_check_node_port
    if pool is None or not pool.names:
        return rare
    if not _is_even(pool):
        rare[rarities.CHANCES] = [None if chance is None else round(chance, 5) for chance in pool.chances]
        rare[rarities.UNMATCHED] = None if pool.unmatched is None else round(pool.unmatched, 5)
    if pool.scheduler is not None:
        rare[rarities.SCHEDULER] = pool.scheduler
    if view.affinity is not None:
        without = sorted(pool.endpoints.intersection(view.affinity.without))
        seconds = list(view.affinity.seconds)
        rare[rarities.AFFINITY] = [seconds, without] if without else seconds
    hairpin = sorted(pool.endpoints.intersection(view.masquerade.without_hairpin))
    if hairpin:
        rare[rarities.NO_HAIRPIN] = hairpin
    if view.internal_policy is not TrafficPolicy.LOCAL and (view.masquerade.all or view.masquerade.off_cluster is None):
        rare[rarities.MASQUERADE] = 1 if view.masquerade.all else 0
    if view.masquerade.kept is not None:
        rare[rarities.KEPT] = [view.masquerade.kept.why, int(view.masquerade.kept.clients)]
    conditions = _external_conditions(view)
    if conditions is not None and conditions != _usual(view.external_policy):
        rare[rarities.EXTERNAL_MASQUERADE] = list(conditions)
    return rare


def _external_conditions(view: ServiceView) -> tuple[str, ...] | None:
    """When connections to external addresses are masqueraded; None if the node shows no chain for them."""
    conditions = view.masquerade.external
    if conditions is None:
        return None
    network = view.masquerade.off_cluster
    return conditions if network is None else tuple(each.replace(network, POD_NETWORK) for each in conditions)


def _usual(policy: TrafficPolicy | None) -> tuple[str, ...]:
    return _USUAL_IF_LOCAL if policy is TrafficPolicy.LOCAL else _USUAL


def _is_even(pool: Pool) -> bool:
    chance = 1.0 / len(pool.names) if pool.names else 0.0
    if pool.unmatched is None or pool.unmatched > TOLERANCE:
        return False
    return all(each is not None and abs(each - chance) <= TOLERANCE for each in pool.chances)


def service_of(key: RecordKey, record: str, fabrics: Mapping[str, Fabric] | None) -> ServiceView:
    """The view in a record, without what records leave out. Raises UsageError for a damaged one."""
    try:
        return _service_of(key, record, fabrics or {})
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise UsageError(f"the record of {key} in a digest is damaged; write the digest again") from None


def _service_of(key: RecordKey, record: str, fabrics: Mapping[str, Fabric]) -> ServiceView:
    packed: Any = json.loads(record)
    places, rare = (packed, {}) if isinstance(packed, str) else (packed[0], rarities.checked(packed[1]))
    frontend_texts, _, endpoint_text = places.partition("|")
    pool = _pool(endpoint_text, rare) if endpoint_text else None
    frontends = unpacked_frontends(frontend_texts, pool)
    cluster = next((place for place, each in frontends.items() if each.kind is FrontendKind.CLUSTER_IP), (None, None))
    external_policy = _POLICY_OF[rare.get(rarities.EXTERNAL_POLICY, "C")]
    masquerade = MasqueradeView(
        hairpin=None,
        without_hairpin=tuple(rare.get(rarities.NO_HAIRPIN, ())),
        all=rare.get(rarities.MASQUERADE) == 1,
        off_cluster=None if rarities.MASQUERADE in rare else POD_NETWORK,
        external=tuple(map(str, rare.get(rarities.EXTERNAL_MASQUERADE, _usual(external_policy)))),
        kept=Kept(rare[rarities.KEPT][0], bool(rare[rarities.KEPT][1])) if rarities.KEPT in rare else None,
    )
    return ServiceView(
        label=key.name,
        named=True,
        family=key.family,
        protocol=key.group,
        cluster_ip=cluster[0],
        port=cluster[1],
        frontends=frontends,
        pools=() if pool is None else (pool,),
        affinity=_affinity(rare[rarities.AFFINITY]) if rarities.AFFINITY in rare else None,
        internal_policy=_POLICY_OF[rare.get(rarities.INTERNAL_POLICY, "C")],
        external_policy=external_policy,
        health_check_node_port=rare.get(rarities.HEALTH_CHECK),
        masquerade=masquerade,
        fabric=fabrics.get(rare.get(rarities.FABRIC, ""), ()),
        losses={
            cause_of(fabrics[identity]): frozenset(
                (str(name), str(place), None if part is None else float(part)) for name, place, part in lost
            )
            for identity, lost in rare.get(rarities.LOSSES, {}).items()
        },
        mode=ProxyMode(rare.get(rarities.OTHER_MODE, ProxyMode.IPTABLES.value)),
    )


def _pool(endpoint_text: str, rare: Mapping[str, Any]) -> Pool:
    names = tuple(unpacked_endpoints(endpoint_text))
    chances = tuple(rare.get(rarities.CHANCES) or [1.0 / len(names)] * len(names))
    scheduler = None if rarities.SCHEDULER not in rare else str(rare[rarities.SCHEDULER])
    if len(names) != len(chances):
        raise ValueError(endpoint_text)
    return Pool(Scope.CLUSTER, names, chances, rare.get(rarities.UNMATCHED, 0.0), scheduler)


def _affinity(value: list[Any]) -> AffinityView:
    seconds, without = value if isinstance(value[0], list) else (value, ())
    return AffinityView(tuple(seconds), tuple(without))
