"""A built-in chain jumps to the same chain of kube-proxy twice.

What it checks:
    Each of kube-proxy's and kubelet's hooks appears once in its built-in chain. Only complete dumps are judged: in a
    fragment two tables' hooks can look alike.

Why it matters:
    Every packet that the first jump brought back walks the chain again. With 5,000 Services that is 5,000 comparisons
    more for each new connection that is for none of them. A second hook is also a sign: an older kube-proxy's that
    nobody cleaned up, a script that runs at each boot, or iptables 1.8.1 and 1.8.2, whose check for an existing rule
    failed.

Example:
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-SERVICES - [0:0]
    -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A PREROUTING -j KUBE-SERVICES
    -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
    COMMIT

How to fix:
    Delete the jump without kube-proxy's comment, or the later one: `iptables -t nat -D PREROUTING NUMBER`.

When to ignore:
    When the copy asks for other packets than the first and does so on purpose.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.hooks.hook_states import hooks


@rule("IPT103", "hook-repeated", Severity.WARNING, reads_absence=True)
def hook_repeated(context: RulesetContext) -> Faults:
    """One fault for each hook that is there more than once, at the first copy."""
    for state in hooks(context):
        if len(state.rules) > 1:
            hook, count = state.hook, len(state.rules)
            times = "twice" if count == 2 else f"{count} times"
            yield Fault(
                f"{hook.table} {hook.built_in} jumps to {hook.chain} {times}: packets that come back walk its "
                f"{len(state.target.rules)} rules {times}",
                f"Delete the copies, e.g. `iptables -t {hook.table} -D {hook.built_in} NUMBER`, and find what adds "
                "them.",
                at_rule(state.rules[1]),
                related=tuple(copy.line for copy in (state.rules[0], *state.rules[2:])),
            )
