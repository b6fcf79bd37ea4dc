"""Chains jump to each other in a loop.

What it checks:
    No chain leads back to itself through jumps (-j) or gotos (-g), directly or through other chains.

Why it matters:
    The kernel refuses a loop that a built-in chain reaches, even after a match that is never true. `iptables-restore`
    fails, and none of the table's rules are loaded. A loop that nothing reaches is accepted until somebody adds a jump
    to it.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    :LIMIT - [0:0]
    :LOGGED - [0:0]
    -A INPUT -p tcp -j LIMIT
    -A LIMIT -j LOGGED
    -A LOGGED -m limit --limit 5/min -j LIMIT
    COMMIT

How to fix:
    Remove one jump of the loop: usually it should have been RETURN.

When to ignore:
    When nothing reaches the loop and its chains are under construction; this is only a note.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.text import loops
from ipt_explain.model import Rule


@rule("IPT002", "chain-loop", Severity.ERROR, evidence=loops)
def chain_loop(context: RulesetContext) -> Faults:
    """One fault for each group of chains that lead to each other, at the jump that closes the loop."""
    for table, cycle in loops(context):
        steps = zip(cycle.path, (*cycle.path[1:], cycle.path[0]))
        jumps = [_jump(context, table, source, target) for source, target in steps]
        loop = " → ".join((*cycle.path, cycle.path[0]))
        unreached = context.knows_table(table) and not cycle.reachable
        yield Fault(
            f"chains of table {table} form a loop ({loop}): "
            + ("no built-in chain reaches it yet" if unreached else "iptables-restore refuses the table"),
            "Remove one jump of the loop, or end it with RETURN.",
            at_rule(jumps[-1], focus=cycle.path[0]),
            related=tuple(jump.line for jump in jumps[:-1]),
            severity=Severity.INFO if unreached else None,
        )


def _jump(context: RulesetContext, table: str, source: str, target: str) -> Rule:
    chain = context.chain(table, source)
    assert chain is not None  # it is part of the loop
    return next(rule for rule in chain.rules if rule.target == target)
