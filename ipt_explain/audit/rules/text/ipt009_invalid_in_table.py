"""A target is used where the kernel refuses it.

What it checks:
    Targets are used only in the tables, and reached only from the built-in chains, where the kernel allows them: no
    DROP or REJECT in nat, DNAT and REDIRECT only from PREROUTING and OUTPUT, MASQUERADE only from POSTROUTING, SNAT
    from POSTROUTING and INPUT, CT and NOTRACK only in raw, TPROXY, TTL, HL, DSCP, TOS, ECN and CHECKSUM only in mangle.

Why it matters:
    iptables-restore fails at the rule, and none of the table's rules are loaded.

Example:
    *nat
    :POSTROUTING ACCEPT [0:0]
    -A POSTROUTING -d 10.96.0.10/32 -p udp -m udp --dport 53 -j DNAT --to-destination 10.244.0.5:53
    COMMIT

How to fix:
    Drop packets in filter (or in raw, before connections are tracked). Rewrite destinations from PREROUTING and OUTPUT,
    and sources from POSTROUTING.

When to ignore:
    Never: these rules cannot be loaded.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.text import misplaced


@rule("IPT009", "invalid-in-table", Severity.ERROR, evidence=misplaced)
def invalid_in_table(context: RulesetContext) -> Faults:
    """One fault for each target and place that do not go together, at the first rule."""
    for found in misplaced(context):
        first, *others = found.rules
        yield Fault(
            f"{found.target} cannot be used {found.where}: iptables-restore refuses the table",
            f"{found.target} works {found.allowed}; move the rule there.",
            at_rule(first, focus=f"-j {found.target}"),
            related=tuple(rule.line for rule in others),
            key=found.where,
        )
