"""A rule in one of kube-proxy's chains that kube-proxy would not write.

What it checks:
    Every rule in the chains of kube-proxy (iptables mode) and kubelet looks like one that some release writes there:
    the same kinds of conditions and targets. The canary chains and KUBE-IPTABLES-HINT have no rules at all. If a more
    specific rule reports the same line, this one does not.

Why it matters:
    kube-proxy empties and rewrites its chains at every sync, so a rule added by hand lasts until then. One of its own
    rules that was changed does what nobody intends: it hides the Services after it, misses part of their traffic, or
    lets pass what should be refused.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -s 10.244.3.0/24 -j ACCEPT
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m comment --comment "default/kubernetes:https" -j KUBE-SEP-QAI6IJGEKZYOMWSX

How to fix:
    Put rules of your own into chains of your own, before kube-proxy's hooks. Restart kube-proxy: it rewrites its
    chains.

When to ignore:
    When a distribution's kube-proxy writes rules that upstream's does not.
"""

from __future__ import annotations

from collections import defaultdict

from ipt_explain.audit.authoring import RESTART, RESTART_CHAINS, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.chains.foreign import ForeignRule, foreign_rules
from ipt_explain.audit.evidence.chains.foreign_effects import effect_of

# A hostile dump, or a form that is not known here, may make every rule foreign.
_MANY = 50


@rule(
    "IPT115",
    "foreign-rule-in-kube-chain",
    Severity.WARNING,
    evidence=foreign_rules,
    general=True,
    yields_to=("IPT003", "IPT008"),
)
def foreign_rule_in_kube_chain(context: RulesetContext) -> Faults:
    """One fault a rule; one a table where there are very many."""
    by_table: dict[str, list[ForeignRule]] = defaultdict(list)
    for foreign in foreign_rules(context):
        by_table[foreign.table].append(foreign)
    for found in by_table.values():
        if len(found) > _MANY:
            yield _many(found)
        else:
            for foreign in found:
                yield _fault(foreign, "" if foreign.empty else effect_of(context, foreign.rule))


def _fault(foreign: ForeignRule, effect: str) -> Fault:
    chain = foreign.rule.chain
    if foreign.empty:
        message = (
            f"{chain} has a rule, but no packet enters this canary chain: it only shows whether rules were flushed"
        )
    else:
        does = f": {effect}" if effect else ""
        message = f"kube-proxy does not write {_target(foreign)} with these conditions into {chain}{does}"
    return Fault(
        message,
        f"{RESTART} Keep rules of your own in chains of your own.",
        at_rule(foreign.rule),
    )


def _many(found: list[ForeignRule]) -> Fault:
    first = found[0]
    return Fault(
        f"{len(found)} rules in kube-proxy's chains of table {first.table} are not kube-proxy's, the first in "
        f"{first.rule.chain}",
        f"Find out which program writes them. {RESTART_CHAINS}",
        at_rule(first.rule),
        related=tuple(foreign.rule.line for foreign in found[1:]),
    )


def _target(foreign: ForeignRule) -> str:
    target = foreign.rule.target
    return "a rule without a target" if target is None else f"a rule {'-g' if foreign.rule.is_goto else '-j'} {target}"
