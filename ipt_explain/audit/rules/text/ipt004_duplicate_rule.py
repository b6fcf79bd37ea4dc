"""A chain has the same rule more than once.

What it checks:
    No chain has the same rule twice, word for word. Counters are ignored. If a chain has many such rules, they are one
    finding.

Why it matters:
    Usually harmless, but rarely on purpose: something adds its rule without noticing that it exists. With iptables-nft
    1.8.1 and 1.8.2, whose `-C` did not find existing rules, kubelet added its KUBE-FIREWALL rule every minute until
    packets crossed thousands of copies. Three or more copies are therefore a warning.

Example:
    -A KUBE-FIREWALL -m comment --comment "kubernetes firewall for dropping marked packets"
      -m mark --mark 0x8000/0x8000 -j DROP
    -A KUBE-FIREWALL -m comment --comment "kubernetes firewall for dropping marked packets"
      -m mark --mark 0x8000/0x8000 -j DROP

How to fix:
    Delete all but one (`iptables -D` removes one copy at a time) and find out what adds them. Check the iptables
    versions on the node and in its containers.

When to ignore:
    When both copies are on purpose, for example if two agents share a rule and neither may remove it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain

from ipt_explain.analyzers.names import ChainRole, role_of
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.text import repetitions
from ipt_explain.graph.lint.repeated import Repetition

GROWING = 3
"""With this many copies of one rule, the chain is growing."""
_FEW = 3


@rule("IPT004", "duplicate-rule", Severity.INFO, evidence=repetitions, general=True)
def duplicate_rule(context: RulesetContext) -> Faults:
    """One fault for each rule that has copies, at the second of them; one for many such rules of a chain."""
    by_chain: dict[tuple[str, str, int], list[Repetition]] = defaultdict(list)
    for repetition in repetitions(context):
        first, *copies = repetition.rules
        if role_of(first.chain) is ChainRole.FIREWALL:
            continue  # kube-proxy repeats the source ranges for each of a load balancer's addresses
        if context.tells_table(repetition.table, first.chain):
            by_chain[repetition.table, first.chain, len(copies)].append(repetition)
    for alike in by_chain.values():
        if len(alike) > _FEW:
            yield _fault(alike)
        else:
            yield from (_fault([repetition]) for repetition in alike)


def _fault(alike: Sequence[Repetition]) -> Fault:
    (first, second, *others), *more = [repetition.rules for repetition in alike]
    count = 2 + len(others)
    what, them, each = (f"{len(alike):,} rules", "them", " of each") if more else ("the same rule", "it", "")
    growing = count >= GROWING
    if growing:
        effect = f": something adds {them} again and again, and every packet here crosses all copies"
    else:
        effect = ", as if they had been restored without emptying it first" if more else ""
    return Fault(
        f"{first.chain} has {what} {'twice' if count == 2 else f'{count} times'}{effect}",
        f"Delete all but one{each} with `iptables -D`, and find out what adds them.",
        at_rule(second),
        related=(first.line, *(rule.line for rule in (*others, *chain.from_iterable(more)))),
        severity=Severity.WARNING if growing else None,
    )
