"""A hook has extra conditions, so some packets bypass kube-proxy's chains.

What it checks:
    The jumps from built-in chains into kube-proxy's and kubelet's chains match every packet. In filter they may be
    limited to new connections (`--ctstate NEW`), as kube-proxy writes some of them. The jump to KUBE-NODEPORTS at the
    end of nat KUBE-SERVICES may test only its destination. IPT103 reports a hook that also appears without conditions.

Why it matters:
    Packets that do not match the condition are not translated, masqueraded or filtered. At its next full sync
    kube-proxy adds its own hook next to the narrowed one, so the problem comes and goes.

Example:
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-SERVICES - [0:0]
    -A PREROUTING -i eth0 -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
    COMMIT

How to fix:
    Delete the rule and restart kube-proxy: it writes the hook without conditions.

When to ignore:
    When part of the traffic is kept from Services on purpose; kube-proxy will undo it.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.conditions import conditions_of
from ipt_explain.audit.evidence.hooks.hook_states import HookState, hooks
from ipt_explain.audit.evidence.hooks.services_chain import may_be_narrowed, services_chain
from ipt_explain.model import Hidden
from ipt_explain.words import both

_FIX = "Delete the rule and restart kube-proxy on this node: it writes its hook without the condition."


@rule("IPT104", "hook-narrowed", Severity.WARNING, evidence=may_be_narrowed)
def hook_narrowed(context: RulesetContext) -> Faults:
    """One fault for each hook without an unconditional twin."""
    for state in hooks(context):
        conditions = [conditions_of(jump, _may_ask_for_new(state)) for jump in state.rules]
        if conditions and all(conditions) and not any(Hidden.CONDITIONS in jump.shape.hidden for jump in state.rules):
            hook, jump = state.hook, state.rules[0]
            yield Fault(
                f"{hook.table} {hook.built_in} jumps to {hook.chain} only for packets with {both(conditions[0])}: "
                "all others bypass its rules",
                _FIX,
                at_rule(jump),
                related=tuple(other.line for other in state.rules[1:]),
            )
    for jump, words in services_chain(context).narrowed_node_ports:
        yield Fault(
            f"KUBE-SERVICES sends only packets with {both(words)} to KUBE-NODEPORTS: others reach no node port",
            _FIX,
            at_rule(jump),
        )


def _may_ask_for_new(state: HookState) -> bool:
    # nat sees new connections alone, so there the condition takes nothing away.
    return state.hook.for_new or state.hook.table == "nat"
