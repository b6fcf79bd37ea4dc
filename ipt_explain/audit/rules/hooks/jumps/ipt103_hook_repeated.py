"""A built-in chain jumps to the same kube-proxy chain twice.

What it checks:
    Each hook of kube-proxy and kubelet appears once in its built-in chain. Only complete dumps are checked: in a
    fragment two tables' hooks can look alike.

Why it matters:
    Every packet that returns from the first jump walks the chain again. With 5,000 Services that is 5,000 more
    comparisons for each new connection to anything else. A second hook is also a symptom: of an older kube-proxy that
    nobody cleaned up, of a script that runs at each boot, or of iptables 1.8.1 and 1.8.2, which fail to find existing
    rules.

Example:
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-SERVICES - [0:0]
    -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A PREROUTING -j KUBE-SERVICES
    -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
    COMMIT

How to fix:
    Delete the jump that lacks kube-proxy's comment, or the later one: `iptables -t nat -D PREROUTING NUMBER`.

When to ignore:
    When the copy matches different packets than the first, on purpose.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.hooks.hook_states import hooks
from ipt_explain.words import counted


@rule("IPT103", "hook-repeated", Severity.WARNING, reads_absence=True)
def hook_repeated(context: RulesetContext) -> Faults:
    """One fault for each hook that is there more than once, at the first copy."""
    for state in hooks(context):
        if len(state.rules) > 1:
            hook, count = state.hook, len(state.rules)
            times = "twice" if count == 2 else f"{count} times"
            length = len(state.target.rules)
            walked = f"packets that return walk its {counted(length, 'rule')} {times}" if length else "it is empty"
            yield Fault(
                f"{hook.table} {hook.built_in} jumps to {hook.chain} {times}: {walked}",
                f"Delete the copies, for example `iptables -t {hook.table} -D {hook.built_in} NUMBER`, and find what "
                "adds them.",
                at_rule(state.rules[1]),
                related=tuple(copy.line for copy in (state.rules[0], *state.rules[2:])),
            )
