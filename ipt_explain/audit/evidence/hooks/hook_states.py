"""The jumps from the built-in chains into kube-proxy's and kubelet's: which ones should exist, and which do.

Facts: pkg/proxy/iptables/proxier.go 1.2 to 1.33 (iptablesJumpChains), pkg/proxy/ipvs/proxier.go,
pkg/kubelet/kubelet_network_linux.go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ipt_explain.analyzers.names import (
    EXTERNAL_SERVICES,
    FIREWALL,
    FORWARD,
    NODE_PORTS,
    POSTROUTING,
    PROXY_FIREWALL,
    SERVICES,
    ChainRole,
)
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.node.writer import Writer, writer
from ipt_explain.audit.fact import fact
from ipt_explain.audit.findings.place import Location, at_chain, at_table
from ipt_explain.model import Chain, Rule
from ipt_explain.records import Record
from ipt_explain.services.ports import ProxyMode


class KubeHook(Record):
    """A jump from a built-in chain. `for_new`: kube-proxy 1.11 and later limit it to new connections."""

    table: str
    built_in: str
    chain: str
    for_new: bool = False


class HookState(Record):
    """A hook that the chains call for.

    `rules` are the jumps in the built-in chain itself; `indirect` if it leads there through another chain. `target` is
    the chain to reach, `built_in` the chain that should have the jump (None if the text lacks it).
    """

    hook: KubeHook
    target: Chain
    built_in: Chain | None
    rules: tuple[Rule, ...]
    indirect: bool

    @property
    def missing(self) -> bool:
        """Whether no packet from the built-in chain reaches the target."""
        return not self.rules and not self.indirect

    @property
    def lacking(self) -> Location:
        """The place where the jump is missing."""
        return at_table(self.hook.table, None, self.hook.built_in) if self.built_in is None else at_chain(self.built_in)

    @property
    def unreached(self) -> tuple[int, ...]:
        """The line that declares the target."""
        return () if self.target.line is None else (self.target.line,)


_OF_SERVICES = (ChainRole.SERVICE, ChainRole.LOCAL, ChainRole.EXTERNAL, ChainRole.LOCAL_EXTERNAL)
_NAT_HOOKS = (
    KubeHook("nat", "PREROUTING", SERVICES),
    KubeHook("nat", "OUTPUT", SERVICES),
    KubeHook("nat", "POSTROUTING", POSTROUTING),
)
_FORWARD_HOOK = KubeHook("filter", "FORWARD", FORWARD)
_IN_SERVICES = KubeHook("filter", "INPUT", SERVICES, for_new=True)
_FORWARD_SERVICES = KubeHook("filter", "FORWARD", SERVICES, for_new=True)
_FORWARD_EXTERNAL = KubeHook("filter", "FORWARD", EXTERNAL_SERVICES, for_new=True)
_FIREWALL_HOOKS = (KubeHook("filter", "INPUT", FIREWALL), KubeHook("filter", "OUTPUT", FIREWALL))
_IPTABLES_HOOKS = (
    KubeHook("filter", "OUTPUT", SERVICES, for_new=True),
    _IN_SERVICES,
    _FORWARD_SERVICES,
    KubeHook("filter", "INPUT", EXTERNAL_SERVICES, for_new=True),
    _FORWARD_EXTERNAL,
    KubeHook("filter", "INPUT", NODE_PORTS),
    KubeHook("filter", "INPUT", PROXY_FIREWALL, for_new=True),
    KubeHook("filter", "FORWARD", PROXY_FIREWALL, for_new=True),
    KubeHook("filter", "OUTPUT", PROXY_FIREWALL, for_new=True),
)
_IPVS_HOOKS = (
    KubeHook("filter", "INPUT", "KUBE-NODE-PORT"),
    KubeHook("filter", "INPUT", PROXY_FIREWALL),
    KubeHook("filter", "FORWARD", PROXY_FIREWALL),
    KubeHook("filter", "INPUT", "KUBE-IPVS-FILTER"),
    KubeHook("filter", "OUTPUT", "KUBE-IPVS-OUT-FILTER"),
)


@fact
def hooks(context: RulesetContext) -> tuple[HookState, ...]:
    """Every hook whose target chain is in the text: the hooks that every release with these chains has, and those that
    their writer certainly has. In a complete dump, missing hooks are included."""
    by = writer(context)
    states = [_state(context, hook) for hook in _candidates(by)]
    found = {state.hook: state for state in states if state is not None}
    return tuple(state for state in found.values() if not state.missing or _expected(state, found, by))


def missing_hooks(context: RulesetContext) -> Collection[HookState]:
    """The hooks that should be there and are not."""
    return [state for state in hooks(context) if state.missing]


def _candidates(writer: Writer) -> Iterator[KubeHook]:
    yield from _NAT_HOOKS
    yield _FORWARD_HOOK
    yield from _FIREWALL_HOOKS
    yield from _IPVS_HOOKS if writer.mode is ProxyMode.IPVS else _IPTABLES_HOOKS


def _state(context: RulesetContext, hook: KubeHook) -> HookState | None:
    table = context.table(hook.table)
    target = None if table is None else table.chains.get(hook.chain)
    if table is None or target is None:
        return None
    built_in = table.chains.get(hook.built_in)
    rules = tuple(rule for rule in context.ruleset.rules(hook.table, hook.built_in) if rule.target == hook.chain)
    graph = None if rules or built_in is None else context.graph(hook.table)
    indirect = graph is not None and hook.chain in graph.reachable_from(hook.built_in)
    return HookState(hook, target, built_in, rules, indirect)


def _expected(state: HookState, found: Mapping[KubeHook, HookState], writer: Writer) -> bool:
    """Whether a missing hook should be there."""
    hook = state.hook
    if hook.table == "nat" or hook.chain == FIREWALL:
        return bool(state.target.rules)
    if hook is _FORWARD_SERVICES:  # from 1.14 on
        return writer.since(14) or any(_stands(found, other) for other in (_IN_SERVICES, _FORWARD_EXTERNAL))
    # From 1.14 to 1.19, where FORWARD does not jump to KUBE-EXTERNAL-SERVICES; once more before 1.10.
    if hook is _IN_SERVICES:
        return _one_of_pair_expected(found, writer) and not writer.canaries
    if hook is _FORWARD_EXTERNAL:  # in place of the former, from 1.20 on
        return writer.since(20) or (_one_of_pair_expected(found, writer) and writer.canaries)
    return True


def _one_of_pair_expected(found: Mapping[KubeHook, HookState], writer: Writer) -> bool:
    """Whether a release from 1.14 on wrote neither INPUT's jump to KUBE-SERVICES nor FORWARD's to
    KUBE-EXTERNAL-SERVICES."""
    if _IN_SERVICES not in found or _FORWARD_EXTERNAL not in found:
        return False
    if _stands(found, _IN_SERVICES) or _stands(found, _FORWARD_EXTERNAL):
        return False
    return writer.since(14) or _stands(found, _FORWARD_SERVICES)


def _stands(found: Mapping[KubeHook, HookState], hook: KubeHook) -> bool:
    return hook in found and not found[hook].missing


def service_chains(context: RulesetContext) -> int:
    """How many chains of single Services nat has."""
    return sum(len(alike.chains) for role in _OF_SERVICES for alike in context.hashed[role].values())
