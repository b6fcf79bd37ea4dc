"""Which nftables rule or chain decides where a packet ends, and whether it is kube-proxy's."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.analyzers.nftables.tables import (
    CLUSTER_IPS_CHECK,
    NODE_PORT_CHECK,
    REJECT_CHAIN,
    SERVICE_CHECK,
    TABLE,
)
from ipt_explain.model import nft
from ipt_explain.netfilter.hooks import DESTINATION_NAT, Hook
from ipt_explain.netfilter.nft.chances import draws
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.backends.nft_path import NftStep
from ipt_explain.netfilter.walk.path import AnyStep
from ipt_explain.netfilter.walk.stages import Stages
from ipt_explain.services.fates import Decider

_PROXY_TABLES = frozenset({f"ip {TABLE}", f"ip6 {TABLE}"})
# kube-proxy's chains that refuse for a Service.
_REFUSING = (SERVICE_CHECK, NODE_PORT_CHECK, REJECT_CHAIN, "firewall-")


def decider(step: NftStep, number: int) -> Decider:
    """The rule of a step, or the chain that lets packets through if that decides. `number` is the ruleset's."""
    owner = _owner(step)
    if step.into is not None and step.after is not None:
        name = step.into.name
        return Decider(number, step.table, name, _lets_pass(step.into), f"chain {name}", owner)
    return Decider(number, step.table, step.chain.name, step.line, step.text, owner, step.rule is not None)


def _owner(step: NftStep) -> str | None:
    if step.table in _PROXY_TABLES:
        return "kube-proxy"
    from ipt_explain.analyzers.owners.nft_tables import owner_of_nft_chain

    found = owner_of_nft_chain(step.table.partition(" ")[2], step.chain.name)
    return None if found is None else found.name


def refuses(step: NftStep) -> bool:
    """Whether a rule that stops packets is one of kube-proxy's refusals."""
    return step.table in _PROXY_TABLES and step.chain.name.startswith(_REFUSING)


def checks_cluster_ips(step: NftStep) -> bool:
    """Whether a rule rejects packets to ClusterIPs that nothing translated."""
    return step.table in _PROXY_TABLES and step.chain.name == CLUSTER_IPS_CHECK


def base_chain(stages: Stages, hook: Hook, number: int) -> Decider:
    """kube-proxy's NAT base chain of a hook in which no rule handles a packet; its table if there is no such chain.
    `number` is the ruleset's."""
    for stage in stages.base_chains(hook):
        if stage.is_nat and stage.table.name == TABLE:
            table = f"{stage.table.family.value} {stage.table.name}"
            name = stage.chain.name
            return Decider(number, table, name, stage.chain.line or None, f"chain {name}", "kube-proxy")
    tables = (stage.table for each in Hook for stage in stages.base_chains(each) if stage.table.name == TABLE)
    own = next(tables, None)
    if own is None:
        return Decider(number, TABLE, None, None, "", "kube-proxy")
    return Decider(number, f"{own.family.value} {TABLE}", None, own.line or None, "", "kube-proxy")


def _lets_pass(chain: nft.Chain) -> int | None:
    """The line that lets packets through a chain: that of its last rule that chooses an endpoint, or its
    declaration."""
    last = next((rule for rule in reversed(chain.rules) if any(draws(rule)) and rule.source_text is not None), None)
    return (chain.line if last is None else last.line) or None


def accepting(steps: Sequence[AnyStep]) -> NftStep | None:
    """The nftables rule that accepts a packet although its destination is still undecided; if there is none, the rule
    that leads to the innermost chain without a verdict."""
    through: NftStep | None = None
    deciding = False
    for step in steps:
        if not isinstance(step, NftStep) or step.before.hook not in DESTINATION_NAT:
            continue
        if step.chain.base is not None:
            deciding = step.chain.base.type == "nat"
        if not deciding:
            continue
        if step.verdict is Verdict.ACCEPT:
            return step
        if step.into is not None and (through is None or step.depth > through.depth) and not _only_mangles(step.into):
            through = step
    return through


def _only_mangles(chain: nft.Chain) -> bool:
    return bool(chain.rules) and all(isinstance(each, nft.Mangle) for rule in chain.rules for each in rule.statements)
