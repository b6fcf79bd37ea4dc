"""Matches that no dump can decide: a socket's owner, the time of day, the level of a token bucket.

Their question is the text of the match, so that users can copy it from the dump to `--assume`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.model import Match, Option, Rule
from ipt_explain.netfilter.condition import Answer, Condition, Words, ask
from ipt_explain.netfilter.packet import Bound, PacketState

# Each rule has its own bucket, counter or quota, even if two rules read the same.
_PER_RULE = frozenset({"limit", "quota", "connlimit", "rateest"})


def conditions(match: Match) -> list[Condition]:
    """A match of any module as one question, without the `!` of a single negated option."""
    if len(match.options) == 1:
        return [described(match, match.options[0])]
    return [_asking(match, match.options, negated=False)]


def described(match: Match, option: Option) -> Condition:
    """One option as a question."""
    return _asking(match, (Option(option.name, False, option.slots),), option.negated)


def _asking(match: Match, options: Sequence[Option], negated: bool) -> Condition:
    per_rule = match.module in _PER_RULE

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        question = f"-m {match.module} {' '.join(option_texts(options, words))}".rstrip()
        return ask(state, f"{question} (line {bound.line})" if per_rule else question, negated)

    return Condition(tuple(slot for option in options for slot in option.slots), test, alone=per_rule)


def option_text(rule: Rule, option: Option) -> str:
    """An option as in the rule, arguments decoded."""
    return next(option_texts((option,), rule.arguments(option)))


def option_texts(options: Sequence[Option], words: Words) -> Iterator[str]:
    """Options as in the rule. `words` are all their decoded arguments."""
    given = iter(words)
    for option in options:
        arguments = [next(given) for _ in option.slots]
        yield " ".join([*(["!"] if option.negated else []), option.name, *arguments])
