"""A hook has extra conditions, so some packets bypass kube-proxy's chains.

What it checks:
    The jumps from built-in chains into kube-proxy's and kubelet's chains match every packet; in filter they may be
    limited to new connections (`--ctstate NEW`), as kube-proxy writes some of them. The jump to KUBE-NODEPORTS at the
    end of nat KUBE-SERVICES is checked the same way: it may test nothing but its destination. A hook that appears a
    second time without conditions is left to IPT103.

Why it matters:
    Packets that the condition leaves out are not translated, masqueraded or filtered. At its next full sync kube-proxy
    adds its own hook beside the narrowed one, so the fault comes and goes.

Example:
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-SERVICES - [0:0]
    -A PREROUTING -i eth0 -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
    COMMIT

How to fix:
    Delete the rule and restart kube-proxy, which writes the hook as it should be.

When to ignore:
    When Services are kept from part of the traffic on purpose; then expect kube-proxy to undo it.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.hooks.hook_states import HookState, extra_conditions, hooks
from ipt_explain.audit.evidence.hooks.services_chain import services_chain
from ipt_explain.words.lists import both

_FIX = "Delete the rule and restart kube-proxy on this node: it writes its hook without the condition."


@rule(
    "IPT104",
    "hook-narrowed",
    Severity.WARNING,
    about=("PREROUTING", "OUTPUT", "INPUT", "FORWARD", "POSTROUTING", "KUBE-SERVICES"),
)
def hook_narrowed(context: RulesetContext) -> Faults:
    """One fault for each hook without an unconditional twin."""
    for state in hooks(context):
        conditions = [extra_conditions(jump, _may_ask_for_new(state)) for jump in state.rules]
        if conditions and all(conditions):
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
            f"KUBE-SERVICES sends only packets with {both(words)} to KUBE-NODEPORTS: all others reach no node port",
            _FIX,
            at_rule(jump),
        )


def _may_ask_for_new(state: HookState) -> bool:
    # nat sees new connections alone, so there the condition takes nothing away.
    return state.hook.for_new or state.hook.table == "nat"
