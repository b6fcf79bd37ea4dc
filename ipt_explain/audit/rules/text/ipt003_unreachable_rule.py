"""A rule never matches, because an earlier rule of its chain takes all of its packets.

What it checks:
    No rule comes after an unconditional final rule of its chain (ACCEPT, DROP, RETURN, DNAT, a goto, a jump to a chain
    that never returns), or after a conditional rule that matches everything the later rule could match. This is decided
    exactly, from addresses, ports, interfaces, protocols and states. Rules with matches that cannot be compared (sets,
    limits, marks, chance) are never reported as hiding others.

Why it matters:
    The rule has no effect. If the earlier rule does something different, somebody meant this one to work: traffic that
    it should drop passes, or traffic that it should accept is lost.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    -A INPUT -s 10.0.0.0/8 -j ACCEPT
    -A INPUT -s 10.66.0.0/16 -p tcp -m tcp --dport 10250 -j DROP
    COMMIT

How to fix:
    Move the narrower rule before the wider one, or remove it.

When to ignore:
    When the rule is a second line of defence on purpose. If both rules do the same, this is only a note.
"""

from __future__ import annotations

from itertools import chain

from ipt_explain.analyzers.names import is_kube_chain
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.text import shadows
from ipt_explain.graph.lint.shadowed import Shadow
from ipt_explain.model import Rule
from ipt_explain.words import listed

_WEAVE = "weave"

NAMED = 3
"""How many different effects the message names; it counts the rest."""


@rule("IPT003", "unreachable-rule", Severity.WARNING, evidence=shadows, general=True, yields_to=("IPT004",))
def unreachable_rule(context: RulesetContext) -> Faults:
    """One fault for each rule that hides others, at the first rule hidden."""
    for shadow in shadows(context):
        if _by_design(shadow) or not context.tells_table(shadow.table, shadow.chain):
            continue
        first, *others = shadow.hidden
        what, match, its = (f"{len(shadow.hidden)} rules", "match", "their") if others else ("a rule", "matches", "its")
        yield Fault(
            f"{what} of {shadow.chain} never {match}: an earlier rule takes all of {its} packets ({_effect(shadow)})",
            "Move the narrower rule before the wider one, or remove it.",
            at_rule(first),
            related=(shadow.rule.line, *(rule.line for rule in others)),
            severity=Severity.INFO if shadow.same_effect else None,
        )


def _by_design(shadow: Shadow) -> bool:
    """Whether the hidden rules are known and harmless.

    kube-proxy writes rules twice: ports that share a health check, address ranges within each other. Weave Net puts an
    ACCEPT for replies after its own DROP, and its chain WEAVE-NPC has accepted them before.
    """
    if is_kube_chain(shadow.chain):
        return shadow.same_effect
    return all(rule.core("-o") == _WEAVE for rule in (shadow.rule, *shadow.hidden))


def _effect(shadow: Shadow) -> str:
    if shadow.same_effect:
        return f"and does the same, {_does(shadow.rule)}"
    effects = list(dict.fromkeys(map(_does, shadow.hidden)))
    return f"{_does(shadow.rule)} instead of {listed(effects, NAMED)}"


def _does(judged: Rule) -> str:
    target = judged.shape.target
    if target is None or judged.target is None:
        return "counting"
    words = [tuple(judged.arguments(option)) or (option.name,) for option in target.options]
    return " ".join([judged.target, *chain.from_iterable(words)])
