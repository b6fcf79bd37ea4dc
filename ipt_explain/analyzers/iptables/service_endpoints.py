"""The endpoints of a service port, from the balancers that lead to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat

from ipt_explain.analyzers.iptables.balancing import Spread
from ipt_explain.analyzers.iptables.endpoints import NO_ENDPOINTS
from ipt_explain.columns import Columns
from ipt_explain.services.ports import Endpoint, Scope


def endpoints_of(spreads: Sequence[Spread], cluster: Spread | None, fragment: bool) -> Columns[Endpoint]:
    """All endpoints to which a balancer of a service port leads, each chain once, in the order met, with their chances
    (0..1) at the ClusterIP.

    `cluster` is the ClusterIP's balancer, one of `spreads`; None if there is none or the input does not show it. In a
    `fragment`, what the input does not show may exist.
    """
    met = Columns.joined([spread.endpoints for spread in spreads] or [NO_ENDPOINTS])
    names, endpoints = met.column("chain"), met
    if len(set(names)) < len(names):
        first = dict(zip(reversed(names), reversed(range(len(names)))))
        endpoints = met.rows(sorted(first.values()))
        names = endpoints.column("chain")
    changed: dict[str, Sequence[object]] = {}
    if endpoints is not met or cluster is None or len(spreads) > 1:
        # If the input does not show where the ClusterIP leads, that may be any endpoint.
        elsewhere = None if fragment and (cluster is None or cluster.unmatched is None) else 0.0
        changed["probability"] = list(map(_chances(cluster).get, names, repeat(elsewhere)))
    local: set[str] = set()
    timeouts: dict[str, int | None] = {}
    for spread in spreads:
        if spread.balancer.scope is Scope.LOCAL:
            local.update(spread.endpoints.column("chain"))
        for affinity in spread.affinity:
            timeouts.setdefault(affinity.chain, affinity.seconds)
    if local:
        changed["local"] = [name in local or None for name in names]
    if timeouts:
        changed["affinity_timeout"] = list(map(timeouts.get, names))
    return endpoints.with_columns(**changed) if changed else endpoints


def _chances(cluster: Spread | None) -> Mapping[str, float | None]:
    """The chance of each endpoint's chain at the ClusterIP."""
    chances: dict[str, float | None] = {}
    if cluster is not None:
        for name, share in zip(cluster.endpoints.column("chain"), cluster.shares):
            before = chances.get(name, 0.0)
            chances[name] = None if before is None or share is None else before + share
    return chances
