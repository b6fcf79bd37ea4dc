"""Matches that no dump can decide for a packet: a socket's owner, the time of day, a bucket's level.

Their question is the text of the match, so that `--assume` can take it from the dump.
"""

from __future__ import annotations

from ipt_explain.model import Match, Option, Rule
from ipt_explain.netfilter.condition import Answer, Condition, ask
from ipt_explain.netfilter.packet import PacketState

# Each rule has a bucket, counter or quota of its own, even where two rules read the same.
_PER_RULE = frozenset({"limit", "quota", "connlimit", "rateest"})


def compile_undecided(match: Match) -> list[Condition]:
    """A match of any module as one question. A single negated option is asked about without its `!`."""
    if len(match.options) == 1:
        return [described(match, match.options[0])]

    def test(rule: Rule, state: PacketState) -> Answer:
        words = [option_text(rule, option) for option in match.options]
        return ask(state, _question(match.module, " ".join(words), rule))

    return [test]


def described(match: Match, option: Option) -> Condition:
    """One option as a question of its own."""
    bare = Option(option.name, False, option.slots)

    def test(rule: Rule, state: PacketState) -> Answer:
        return ask(state, _question(match.module, option_text(rule, bare), rule), option.negated)

    return test


def option_text(rule: Rule, option: Option) -> str:
    """An option as the rule has it, arguments decoded."""
    return " ".join([*(["!"] if option.negated else []), option.name, *rule.arguments(option)])


def _question(module: str, text: str, rule: Rule) -> str:
    question = f"-m {module} {text}".rstrip()
    return f"{question} (line {rule.line})" if module in _PER_RULE else question
