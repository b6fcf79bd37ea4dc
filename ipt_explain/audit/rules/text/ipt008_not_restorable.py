"""A line that iptables-save printed but iptables-restore cannot read back.

What it checks:
    No rule has anything that iptables prints but refuses on input: `[unsupported revision]`, port 0 and other remains
    of a NAT target that the saver did not understand, comments with a line feed, chain names longer than 28 bytes.

Why it matters:
    Restoring the dump fails, or loads something different from what the kernel had: a rule that was DNAT to an endpoint
    comes back as DNAT to nowhere. It shows that the tool that saved the rules is older than the tool that wrote them.

Example:
    -A KUBE-SEP-AAAAAAAAAAAAAAAA -p tcp -m tcp -j DNAT [unsupported revision]

How to fix:
    Save with the same version of iptables that wrote the rules: on a node with kube-proxy in a container, run that
    container's `iptables-save`. Do not restore this dump.

When to ignore:
    When the dump is only read, never restored. The rules in the kernel may be fine.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, Location, RulesetContext, Severity, at_chain, at_rule, rule
from ipt_explain.audit.evidence.text import unreadable


@rule("IPT008", "not-restorable", Severity.WARNING, evidence=unreadable, general=True)
def not_restorable(context: RulesetContext) -> Faults:
    """One fault for each kind of problem in a table, at the first line that has it."""
    for trouble in unreadable(context):
        first = trouble.rules[0] if trouble.rules else None
        place = Location()
        if first is not None:
            place = at_rule(first, focus=trouble.focus)
        elif trouble.chain is not None:
            place = at_chain(trouble.chain)
        count = f" ({len(trouble.rules)} rules)" if len(trouble.rules) > 1 else ""
        yield Fault(
            f"{trouble.what}{count}: iptables-restore cannot read this back",
            "Save with the version of iptables that wrote the rules, and do not restore this dump.",
            place,
            related=tuple(rule.line for rule in trouble.rules[1:]),
            key=trouble.what,
        )
