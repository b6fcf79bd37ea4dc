"""Pairing the service ports of two dumps: by name, else by address or by the hash of the name.

Without comments, a dump has no names. Its nameless parts (the REJECT of a node port has neither name nor hash) are then
merged by the other dump's addresses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ipt_explain.analyzers.names import ChainRole, chain_hash
from ipt_explain.compare.services.views import Address, FrontendView, Pool, ServiceKey, ServiceView
from ipt_explain.model import Family
from ipt_explain.records import replace

_BALANCERS = (ChainRole.SERVICE.value, ChainRole.LOCAL.value)

Pair = tuple[ServiceView | None, ServiceView | None]
_Place = tuple[Address, str]


def paired(
    family: Family, before: Mapping[ServiceKey, ServiceView], after: Mapping[ServiceKey, ServiceView]
) -> list[Pair]:
    """Every service port of the family in either dump, with its counterpart in the other."""
    left = {key: view for key, view in before.items() if key[0] is family and key not in after}
    right = {key: view for key, view in after.items() if key[0] is family and key not in before}
    pairs: list[Pair] = [(view, after[key]) for key, view in before.items() if key[0] is family and key in after]
    for one, others, swapped in ((left, right, False), (right, left, True)):
        for key, counterparts in _by_place(one, others).items():
            whole = _merged([others.pop(each) for each in counterparts])
            mine = one.pop(key)
            pairs.append((whole, mine) if swapped else (mine, whole))
    pairs += [(view, None) for view in left.values()]
    pairs += [(None, view) for view in right.values()]
    return pairs


def _by_place(
    known: Mapping[ServiceKey, ServiceView], nameless: Mapping[ServiceKey, ServiceView]
) -> dict[ServiceKey, list[ServiceKey]]:
    """For each service port of `known`, the nameless ones that share one of its frontends."""
    owners: dict[_Place, ServiceKey] = {}
    for key, view in known.items():
        for address in view.frontends:
            owners.setdefault((address, view.protocol), key)
    chains = _by_chain(known) if any(view.label.startswith(_BALANCERS) for view in nameless.values()) else {}
    found: dict[ServiceKey, list[ServiceKey]] = {}
    for key, view in nameless.items():
        if not view.named:
            places = ((address, view.protocol) for address in view.frontends)
            owner = next((owners[place] for place in places if place in owners), None)
            owner = owner or chains.get(view.label)
            if owner is not None:
                found.setdefault(owner, []).append(key)
    return found


def _by_chain(known: Mapping[ServiceKey, ServiceView]) -> dict[str, ServiceKey]:
    """Named service ports by their chains, whose names are hashes of theirs."""
    return {
        prefix + chain_hash(spelled, view.protocol): key
        for key, view in known.items()
        if view.named
        for spelled in (view.label, f"{view.label}:")
        for prefix in _BALANCERS
    }


def _merged(views: Sequence[ServiceView]) -> ServiceView:
    """Merge several nameless service ports; if they differ, the larger one wins."""
    first, *rest = sorted(views, key=lambda view: -len(view.endpoints()))
    for view in rest:
        frontends: dict[Address, FrontendView] = {**view.frontends, **first.frontends}
        scopes = {pool.scope for pool in first.pools}
        pools: tuple[Pool, ...] = (*first.pools, *(pool for pool in view.pools if pool.scope not in scopes))
        first = replace(
            first,
            frontends=frontends,
            pools=pools,
            cluster_ip=first.cluster_ip or view.cluster_ip,
            port=first.port if first.cluster_ip else view.port,
            internal_policy=first.internal_policy or view.internal_policy,
            external_policy=first.external_policy or view.external_policy,
        )
    return first
