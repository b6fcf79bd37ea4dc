"""A condition matches every packet or none, as written.

What it checks:
    Probabilities that the kernel keeps as 0 or 1, `--every 1`, marks whose value has bits outside of its mask, `!` in
    front of everything there is (`! --dport 0:65535`, `! -s 0.0.0.0/0`), and two conditions of one rule that exclude
    each other (ports, addresses, states).

Why it matters:
    A rule that never matches does nothing, and one that always matches takes what was meant for the rules after it.
    iptables-save hides some of these: it prints `! --dport 0:65535`, which matches nothing, as no condition at all,
    which matches everything; the meaning turns round when the dump is restored.

Example:
    -A INPUT -p tcp -m statistic --mode random --probability 0.00000000000 -j DROP

How to fix:
    Write the value that was meant, or remove the condition or the rule.

When to ignore:
    A rule that is switched off on purpose by a condition that never holds.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.graph.lint.always_or_never import find_certain
from ipt_explain.words.lists import both


@rule("IPT011", "always-or-never", Severity.WARNING, general=True)
def always_or_never(context: RulesetContext) -> Faults:
    """One fault for each such rule."""
    for judged, certainty in find_certain(context.by_shape):
        words = both(list(map(judged.spelled, certainty.options)))
        effect = "always match, so it decides nothing" if certainty.matches else "never match, so the rule does nothing"
        yield Fault(
            f"{words} can {effect}: {certainty.why}",
            "Write the value that was meant, or remove the condition."
            if certainty.matches
            else "Fix or remove the rule.",
            at_rule(judged, focus=judged.spelled(certainty.options[0])),
        )
