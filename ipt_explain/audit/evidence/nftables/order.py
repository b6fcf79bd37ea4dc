"""In which order kube-proxy writes the rules of a chain, and which rules are out of order.

Facts: syncProxyRules and setupNFTables of pkg/proxy/nftables/proxier.go, 1.30 to 1.36. A packet that one rule takes (by
a `goto`, a translation, a verdict) never reaches the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ipt_explain.analyzers.nftables.names import ChainKind, proxy_chain
from ipt_explain.analyzers.nftables.tables import (
    CLUSTER_IPS_CHECK,
    MARK_FOR_MASQUERADE,
    MASQUERADING,
    NODE_PORT_CHECK,
    SERVICE_CHECK,
    SERVICE_IPS,
    SERVICE_NODE_PORTS,
    SERVICES,
)
from ipt_explain.model import nft

Rank = Callable[[nft.Rule], int | None]


def disordered(chain: nft.Chain) -> Iterator[tuple[nft.Rule, nft.Rule]]:
    """Rules that come after one that kube-proxy writes after them, each with that rule."""
    rank = _rank_of(chain)
    if rank is None:
        return
    last: tuple[int, nft.Rule] | None = None
    for rule in chain.rules:
        place = rank(rule)
        if place is None:
            continue
        if last is not None and place < last[0]:
            yield rule, last[1]
        else:
            last = place, rule


def external_rules(chain: nft.Chain) -> frozenset[int]:
    """Which rules the chain of a Service's external addresses has: 0, that sends pods to all endpoints; 1, that marks;
    2, that sends the node's own connections there; 3, that sends all others on."""
    return frozenset(place for rule in chain.rules if (place := _of_external(rule)) is not None)


def _rank_of(chain: nft.Chain) -> Rank | None:
    known = proxy_chain(chain.name)
    if known is not None:
        return _OF_SERVICES.get(known.kind)
    if chain.base is not None:
        return _of_filter if chain.base.type == "filter" else None
    return _OF_NAMES.get(chain.name)


def _of_endpoint(rule: nft.Rule) -> int | None:
    if _marks(rule):
        return 0
    if rule.of(nft.SetUpdate):
        return 1
    return 2 if _translates(rule) else None


def _of_balancer(rule: nft.Rule) -> int | None:
    if _marks(rule):
        return 0
    if _looks_up(rule):
        return 1
    return 2 if _translates(rule) or rule.of(nft.VerdictMap) else None


def _of_external(rule: nft.Rule) -> int | None:
    if _marks(rule):
        return 1
    target = _target(rule)
    led = None if target is None else proxy_chain(target)
    if led is None:
        return None
    asked = [each.left for each in rule.of(nft.Match)]
    if not asked:
        return 3
    if led.kind is not ChainKind.SERVICE:
        return None
    return 2 if any(isinstance(left, nft.Fib) for left in asked) else 0


def _of_lookups(rule: nft.Rule) -> int | None:
    for each in rule.of(nft.VerdictMap):
        if isinstance(each.data, nft.SetReference):
            return {SERVICE_IPS: 1, SERVICE_NODE_PORTS: 2}.get(each.data.name)
    return 0 if _marks(rule) else None


def _of_masquerading(rule: nft.Rule) -> int | None:
    last = rule.last
    if isinstance(last, nft.Nat):
        return 3 if _looks_up(rule) else 2
    return 1 if isinstance(last, nft.Mangle) else 0 if isinstance(last, nft.Verdict) and last.chain is None else None


def _of_filter(rule: nft.Rule) -> int | None:
    return {NODE_PORT_CHECK: 0, SERVICE_CHECK: 1, CLUSTER_IPS_CHECK: 2}.get(_target(rule) or "")


def _of_cluster_ips(rule: nft.Rule) -> int | None:
    """First the check of ports that Services lack, then that of addresses without a Service."""
    asked = next((each.right for each in rule.of(nft.Match)), None)
    return 0 if isinstance(asked, nft.SetReference) else 1 if isinstance(asked, nft.Prefix) else None


_OF_NAMES: dict[str, Rank] = {
    SERVICES: _of_lookups,
    MASQUERADING: _of_masquerading,
    CLUSTER_IPS_CHECK: _of_cluster_ips,
}
_OF_SERVICES: dict[ChainKind, Rank] = {
    ChainKind.ENDPOINT: _of_endpoint,
    ChainKind.SERVICE: _of_balancer,
    ChainKind.LOCAL: _of_balancer,
    ChainKind.EXTERNAL: _of_external,
}


def _target(rule: nft.Rule) -> str | None:
    return rule.last.chain if isinstance(rule.last, nft.Verdict) else None


def _marks(rule: nft.Rule) -> bool:
    return rule.last == nft.Verdict(nft.VerdictKind.JUMP, MARK_FOR_MASQUERADE) or bool(rule.of(nft.Mangle))


def _looks_up(rule: nft.Rule) -> bool:
    return any(isinstance(each.right, nft.SetReference) for each in rule.of(nft.Match))


def _translates(rule: nft.Rule) -> bool:
    return bool(rule.of(nft.Nat))
