"""A table or chain is declared twice; the second declaration replaces the first.

What it checks:
    Each table has one section, which declares each chain once. Joined dumps of several families or backends are
    separated first.

Why it matters:
    `iptables-restore` empties a table when its section begins and a chain when it is declared. Once the second section
    is loaded, the rules of the first are gone. iptables-legacy refuses a chain that is declared twice.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
    COMMIT
    *filter
    :INPUT DROP [0:0]
    COMMIT

How to fix:
    Join the sections by hand, or keep only the right one. To add rules to those in the kernel, use `iptables-restore
    --noflush`.

When to ignore:
    When two dumps from different times were joined on purpose; better audit them one by one.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_table, rule
from ipt_explain.audit.evidence.text import redeclared


@rule("IPT006", "duplicate-section", Severity.WARNING, evidence=redeclared)
def duplicate_section(context: RulesetContext) -> Faults:
    """One fault for each table that has anything declared again, at the first such line."""
    for table in redeclared(context):
        first, *others = table.redeclared
        text = context.text.line(first).strip()
        begins = text.startswith("*")
        what = f"table {table.name} begins a second time" if begins else f"{_chain(text)} is declared twice"
        yield Fault(
            f"{what}: on restore the second replaces the first, whose rules are lost",
            "Join the two, or keep only the right one.",
            at_table(table.name, first),
            related=tuple(others),
            key=table.name,
        )


def _chain(declaration: str) -> str:
    words = declaration.removeprefix(":").removeprefix("-N ").split()
    return f"chain {words[0]}" if words else "a chain"
