"""Which chains each of kube-proxy's hooks leads to, and what those look up.

Facts: setupNFTables of pkg/proxy/nftables/proxier.go, 1.30 to 1.36: base chains' names and priorities differ from
release to release, but what each hook leads to is the same in all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ipt_explain.analyzers.nftables.names import ChainKind, ProxyChain, proxy_chain
from ipt_explain.analyzers.nftables.tables import (
    CLUSTER_IPS,
    CLUSTER_IPS_CHECK,
    FIREWALL_CHECK,
    FIREWALL_IPS,
    MASQUERADING,
    NO_ENDPOINT_NODE_PORTS,
    NO_ENDPOINT_SERVICES,
    NODE_PORT_CHECK,
    REJECT_CHAIN,
    SERVICE_CHECK,
    SERVICE_IPS,
    SERVICE_NODE_PORTS,
    SERVICES,
    leads_to,
)
from ipt_explain.audit.evidence.nftables.marks import ends_chain
from ipt_explain.model import nft
from ipt_explain.records import Record

_DSTNAT = -100
_LEADS = (
    ("nat", "prerouting", SERVICES),
    ("nat", "output", SERVICES),
    ("nat", "postrouting", MASQUERADING),
    ("filter", "prerouting", FIREWALL_CHECK),
    ("filter", "output", FIREWALL_CHECK),
    ("filter", "input", NODE_PORT_CHECK),
    ("filter", "input", SERVICE_CHECK),
    ("filter", "forward", SERVICE_CHECK),
    ("filter", "output", SERVICE_CHECK),
    ("filter", "forward", CLUSTER_IPS_CHECK),
    ("filter", "output", CLUSTER_IPS_CHECK),
)
_LOOKS_UP = (
    (SERVICES, SERVICE_IPS),
    (SERVICES, SERVICE_NODE_PORTS),
    (SERVICE_CHECK, NO_ENDPOINT_SERVICES),
    (NODE_PORT_CHECK, NO_ENDPOINT_NODE_PORTS),
    (FIREWALL_CHECK, FIREWALL_IPS),
    (CLUSTER_IPS_CHECK, CLUSTER_IPS),
)


class Unhooked(Record):
    """A hook that does not lead to `target` or, if `rule` is set, leads there with conditions that kube-proxy does not
    write. `chain` is the base chain to look at, None if kube-proxy has no chain of that type in the hook."""

    type: str
    hook: str
    target: str
    chain: nft.Chain | None
    rule: nft.Rule | None

    @property
    def loses_connections(self) -> bool:
        """Whether Services fail without it: a missing filter hook only makes clients wait, or lets some in."""
        return self.type == "nat" or self.target == FIREWALL_CHECK


def unhooked(table: nft.Table) -> Iterator[Unhooked]:
    """The hooks that do not lead where they should."""
    for kind, hook, target in _LEADS:
        bases = [
            each for each in table.chains.values() if each.base and (each.base.type, each.base.hook) == (kind, hook)
        ]
        if target == FIREWALL_CHECK:  # it looks for addresses that NAT rewrites
            bases = [each for each in bases if each.base is not None and each.base.priority < _DSTNAT]
        # A packet that leaves nat's postrouting early arrives anyway, so no fate shows it.
        met = _met if target == MASQUERADING else _rules
        jumps = [(chain, rule) for chain in bases for rule in met(chain) if leads_to(rule, target)]
        if not jumps:
            yield Unhooked(kind, hook, target, bases[0] if bases else None, None)
        elif all(map(_is_narrowed, (rule for _, rule in jumps))):
            yield Unhooked(kind, hook, target, *jumps[0])


def unasked(table: nft.Table) -> Iterator[tuple[str, str]]:
    """Chains that do not look up their set or map although it has elements: the names of both."""
    for name, held in _LOOKS_UP:
        chain, kept = table.chains.get(name), table.sets.get(held)
        if chain is None or kept is None or not kept.elements:
            continue
        if not any(_asks(rule, held) for rule in chain.rules):
            yield name, held


def rejects(table: nft.Table) -> bool:
    """Whether the chain for connections to Services without endpoints refuses them; True if nothing leads there."""
    chain = table.chains.get(REJECT_CHAIN)
    maps = (table.sets.get(name) for name in (NO_ENDPOINT_SERVICES, NO_ENDPOINT_NODE_PORTS))
    led = any(
        isinstance(element.data, nft.Verdict) and element.data.chain == REJECT_CHAIN
        for held in maps
        if held is not None
        for element in held.elements
    )
    return not led or chain is None or any(rule.of(nft.Reject) for rule in chain.rules)


def open_firewalls(table: nft.Table) -> Iterator[tuple[nft.Chain, ProxyChain]]:
    """The chains of source ranges that let in clients outside the ranges."""
    for chain in table.chains.values():
        known = proxy_chain(chain.name) if chain.rules else None
        if known is not None and known.kind is ChainKind.FIREWALL and not any(map(_drops_others, chain.rules)):
            yield chain, known


def _drops_others(rule: nft.Rule) -> bool:
    return rule.last == nft.Verdict(nft.VerdictKind.DROP) and all(
        isinstance(each, nft.Match) and each.operator is nft.Operator.NOT_EQUAL for each in rule.statements[:-1]
    )


def _rules(chain: nft.Chain) -> Iterable[nft.Rule]:
    """The rules up to the first that sends packets away for good."""
    for rule in chain.rules:
        yield rule
        if any(each.kind is nft.VerdictKind.GOTO for each in rule.of(nft.Verdict)) and not _is_narrowed(rule):
            return


def _met(chain: nft.Chain) -> Iterable[nft.Rule]:
    """The rules up to the first that lets no packet pass."""
    for rule in chain.rules:
        yield rule
        decides = [each for each in rule.statements if not isinstance(each, (nft.Counter, nft.Log))]
        if decides and all(map(ends_chain, decides)):
            return


def _is_narrowed(rule: nft.Rule) -> bool:
    """Whether it tests more than that the connection is new."""
    return any(each.left != nft.Conntrack("state") for each in rule.of(nft.Match))


def _asks(rule: nft.Rule, held: str) -> bool:
    asked = [*(each.data for each in rule.of(nft.VerdictMap)), *(each.right for each in rule.of(nft.Match))]
    return nft.SetReference(held) in asked
