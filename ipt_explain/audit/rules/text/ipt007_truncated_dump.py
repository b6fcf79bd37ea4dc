"""A table ends without COMMIT: the dump was cut off.

What it checks:
    Each table of a dump or of restore input ends with COMMIT.

Why it matters:
    Everything after the cut is missing: rules, chains, whole tables. iptables-restore loads nothing of a table without
    COMMIT ("COMMIT expected"). This audit checks the part that is there and concludes nothing from what is absent.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD DROP [0:0]
    -A INPUT -i lo -j ACCEPT

How to fix:
    Take a complete new dump. Check for a full disk, a closed pipe, a log that cuts long messages, or a terminal copy
    that lost its end.

When to ignore:
    Never for rules that are to be restored.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_table, rule
from ipt_explain.audit.evidence.text import uncommitted
from ipt_explain.model import Table


@rule("IPT007", "truncated-dump", Severity.ERROR, evidence=uncommitted)
def truncated_dump(context: RulesetContext) -> Faults:
    """One fault for each table without COMMIT, at the last line that it has."""
    for table in uncommitted(context):
        yield Fault(
            f"table {table.name} has no COMMIT: the dump is cut off, and iptables-restore loads nothing of it",
            "Take a complete new dump.",
            at_table(table.name, _last_line(table)),
            key=table.name,
        )


def _last_line(table: Table) -> int | None:
    lines = [chain.rules[-1].line for chain in table.chains.values() if chain.rules]
    lines += [chain.line for chain in table.chains.values() if chain.line is not None]
    return max(lines, default=table.line)
