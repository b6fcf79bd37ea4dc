"""The node has rules of two kube-proxy modes.

What it checks:
    A node with Services in iptables mode (KUBE-SVC chains) has no rules of IPVS mode (KUBE-NODE-PORT,
    KUBE-LOAD-BALANCER) or userspace mode (KUBE-PORTALS-CONTAINER and the like). OpenShift's hybrid proxy, which uses
    userspace mode for idle Services, is not reported. If the dump also shows nftables or IPVS, only one mode has
    Services in each family.

Why it matters:
    They are left over from a change of mode without `kube-proxy --cleanup`. Rules of IPVS mode accept Service traffic
    before it reaches the endpoints. Rules of userspace mode send it to ports where nothing listens, and clients are
    refused.

Example:
    -A PREROUTING -m comment --comment "handle ClusterIPs; NOTE: this must be before the NodePort rules"
      -j KUBE-PORTALS-CONTAINER
    -A KUBE-PORTALS-CONTAINER -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https"
      -m tcp --dport 443 -j REDIRECT --to-ports 41235
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP"
      -m tcp --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m comment --comment "default/kubernetes:https" -j KUBE-SEP-AAAAAAAAAAAAAAAA

How to fix:
    Run `kube-proxy --cleanup` of the version and mode that left them, or reboot the node.

When to ignore:
    On nodes where both modes run on purpose, as during a migration.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.audit.authoring import (
    NOWHERE,
    DumpContext,
    Fault,
    Faults,
    RulesetContext,
    Severity,
    at_chain,
    at_rule,
    dump_rule,
)
from ipt_explain.audit.evidence.node.modes import Beside, ModeRole, leftovers, modes_beside_each_other, several_modes
from ipt_explain.services.ports import ProxyMode
from ipt_explain.words import both, family_name

_FIX = "Run kube-proxy --cleanup of the version and mode that left them, or reboot the node."
_PARTS = {
    ModeRole.SERVES: "{} mode serves",
    ModeRole.BEHIND: "{} mode gets only what the others leave untranslated",
    ModeRole.INERT: "nothing leads to the rules of {} mode",
}


@dump_rule("IPT702", "two-proxy-modes", Severity.WARNING, evidence=several_modes)
def two_proxy_modes(dump: DumpContext) -> Faults:
    """One fault for each mode whose rules are left, at the first of them, and one for each family with several modes
    of its own."""
    for context in dump.rulesets:
        yield from _left_in(context)
    for modes in modes_beside_each_other(dump):
        yield _beside(modes)


def _beside(modes: Sequence[Beside]) -> Fault:
    names = [each.mode.word for each in modes]
    asked = [each for each in modes if each.part is not ModeRole.INERT]
    undecided = [each.mode.word for each in modes if each.part is ModeRole.MAY_SERVE]
    said = [_PARTS[each.part].format(each.mode.word) for each in modes if each.part in _PARTS]
    if undecided:
        said.insert(0, f"{both(undecided)} mode both translate, and whichever was registered last is asked first")
    other = next((each for each in modes if each.part in (ModeRole.INERT, ModeRole.BEHIND)), modes[0])
    services = other.context.chain("nat", "KUBE-SERVICES") if isinstance(other.context, RulesetContext) else None
    return Fault(
        f"kube-proxy's Services of {both(names)} mode are here for {family_name(other.context.family.value)}: "
        + "; ".join(said),
        _FIX,
        NOWHERE if services is None or other.mode is not ProxyMode.IPTABLES else at_chain(services),
        severity=Severity.INFO if len(asked) < 2 else None,
        key=" ".join(names),
        context=other.context,
    )


def _left_in(context: RulesetContext) -> Faults:
    for left in leftovers(context):
        names = ", ".join(chain.name for chain in left.chains)
        yield Fault(
            f"kube-proxy's {left.mode} mode left rules ({names}) next to those of iptables mode: {left.effect}",
            _FIX,
            at_rule(left.chains[0].rules[0]),
            related=tuple(chain.rules[0].line for chain in left.chains[1:]),
            severity=Severity.ERROR if left.misroutes else None,
            key=left.mode,
            context=context,
        )
