"""A chain has the same rule more than once.

What it checks:
    No chain has the same rule twice, word for word. Counters are ignored.

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

from ipt_explain.analyzers.names import ChainRole, role_of
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.text import repetitions

GROWING = 3
"""With this many copies of one rule, the chain is growing."""


@rule("IPT004", "duplicate-rule", Severity.INFO, evidence=repetitions, general=True)
def duplicate_rule(context: RulesetContext) -> Faults:
    """One fault for each rule that has copies, at the second of them."""
    for repetition in repetitions(context):
        first, second, *others = repetition.rules
        if role_of(first.chain) is ChainRole.FIREWALL:
            continue  # kube-proxy repeats the source ranges for each of a load balancer's addresses
        if not context.tells_table(repetition.table, first.chain):
            continue
        count = len(repetition.rules)
        growing = count >= GROWING
        yield Fault(
            f"{first.chain} has the same rule {'twice' if count == 2 else f'{count} times'}"
            + (": something adds it again and again, and every packet here crosses all copies" if growing else ""),
            "Delete all but one with `iptables -D`, and find out what adds them.",
            at_rule(second),
            related=(first.line, *(rule.line for rule in others)),
            severity=Severity.WARNING if growing else None,
        )
