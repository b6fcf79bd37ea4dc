"""Matches that no dump can decide for a packet: a socket's owner, the time of day, a bucket's level.

Their question is the text of the match, so that `--assume` can take it from the dump.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.model import Match, Option, Rule
from ipt_explain.netfilter.condition import Answer, Condition, Words, ask
from ipt_explain.netfilter.packet import Bound, PacketState

# Each rule has a bucket, counter or quota of its own, even where two rules read the same.
_PER_RULE = frozenset({"limit", "quota", "connlimit", "rateest"})


def conditions(match: Match) -> list[Condition]:
    """A match of any module as one question. A single negated option is asked about without its `!`."""
    if len(match.options) == 1:
        return [described(match, match.options[0])]
    return [_asking(match, match.options, negated=False)]


def described(match: Match, option: Option) -> Condition:
    """One option as a question of its own."""
    return _asking(match, (Option(option.name, False, option.slots),), option.negated)


def _asking(match: Match, options: Sequence[Option], negated: bool) -> Condition:
    per_rule = match.module in _PER_RULE

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        question = f"-m {match.module} {' '.join(option_texts(options, words))}".rstrip()
        return ask(state, f"{question} (line {bound.line})" if per_rule else question, negated)

    return Condition(tuple(slot for option in options for slot in option.slots), test, alone=per_rule)


def option_text(rule: Rule, option: Option) -> str:
    """An option as the rule has it, arguments decoded."""
    return next(option_texts((option,), rule.arguments(option)))


def option_texts(options: Sequence[Option], words: Words) -> Iterator[str]:
    """Options as a rule has them; `words` are the decoded arguments of them all."""
    given = iter(words)
    for option in options:
        arguments = [next(given) for _ in option.slots]
        yield " ".join([*(["!"] if option.negated else []), option.name, *arguments])
