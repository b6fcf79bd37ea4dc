"""A condition as written matches every packet, or none.

What it checks:
    Probabilities that the kernel rounds to 0 or 1, `--every 1`, marks whose value has bits outside their mask,
    negated conditions that cover everything (`! --dport 0:65535`, `! -s 0.0.0.0/0`), and two conditions of one rule
    that exclude each other (ports, addresses, states) are reported.

Why it matters:
    A rule that never matches does nothing. A rule that always matches takes packets meant for the rules after it.
    iptables-save hides some of these: `! --dport 0:65535` matches nothing, but it prints no condition at all, which
    matches everything. Restoring the dump then reverses the meaning.

Example:
    -A INPUT -p tcp -m statistic --mode random --probability 0.00000000000 -j DROP

How to fix:
    Write the intended value, or remove the condition or the rule.

When to ignore:
    When the rule is switched off on purpose by a condition that never matches.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.text import certain
from ipt_explain.words import both


@rule("IPT011", "always-or-never", Severity.WARNING, evidence=certain, general=True)
def always_or_never(context: RulesetContext) -> Faults:
    """One fault for each such rule."""
    for judged, certainty in certain(context):
        words = both(list(map(judged.spelled, certainty.options)))
        effect = "always match, so it decides nothing" if certainty.matches else "never match, so the rule does nothing"
        yield Fault(
            f"{words} can {effect}: {certainty.why}",
            "Write the intended value, or remove the condition." if certainty.matches else "Fix or remove the rule.",
            at_rule(judged, focus=judged.spelled(certainty.options[0])),
        )
