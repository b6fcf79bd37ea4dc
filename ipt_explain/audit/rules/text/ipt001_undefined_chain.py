"""A rule jumps to a chain that does not exist.

What it checks:
    Every jump (-j) and goto (-g) of a complete dump leads to a chain that its table declares. Fragments and input of
    `iptables-restore --noflush` are not checked: the chain may exist without being shown.

Why it matters:
    No kernel has such a rule, so the dump was cut or edited. iptables-restore refuses the rule and loads none of the
    table.

Example:
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-SERVICES - [0:0]
    -A PREROUTING -j KUBE-SERVICES
    -A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m udp --dport 53 -j KUBE-SVC-TCOU7JCQXEZGVUNU
    COMMIT

How to fix:
    Take a complete new dump with `iptables-save`. In generated rules, declare the chain (`:NAME - [0:0]`) or drop the
    jump.

When to ignore:
    Never for rules that are to be restored.
"""

from __future__ import annotations

from collections import defaultdict

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.text import dangling
from ipt_explain.graph.jumps import Jump


@rule("IPT001", "undefined-chain", Severity.ERROR, evidence=dangling, reads_absence=True)
def undefined_chain(context: RulesetContext) -> Faults:
    """One fault for each missing chain, at the first jump to it."""
    missing: dict[tuple[str, str], list[Jump]] = defaultdict(list)
    for table, jump in dangling(context):
        missing[table, jump.target].append(jump)
    for (table, target), leading in missing.items():
        lead = "a rule leads" if len(leading) == 1 else f"{len(leading)} rules lead"
        yield Fault(
            f"table {table} has no chain {target}, but {lead} to it: iptables-restore refuses the table",
            f"Dump the whole table again, or declare :{target} - [0:0].",
            at_rule(leading[0].rule, focus=target),
            related=tuple(jump.rule.line for jump in leading[1:]),
            key=target,
        )
