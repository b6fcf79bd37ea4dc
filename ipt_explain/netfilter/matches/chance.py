"""statistic: chance, and counting."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from ipt_explain.model import Match, Option
from ipt_explain.netfilter.condition import Answer, Branch, Condition, Words
from ipt_explain.netfilter.packet import Bound, PacketState
from ipt_explain.netfilter.probability import chance, nth_share
from ipt_explain.netfilter.truth import Truth

_chance = lru_cache(maxsize=4096)(chance)


def compile_statistic(match: Match) -> list[Condition]:
    """statistic: `random` matches its share of packets; `nth` its long-run share.

    Each nth rule counts the packets that reach it, so a chain of them is exact where a match ends the traversal. Two
    nth rules that the same packets pass are taken as independent, which they are not.
    """
    return [_share(option) for option in match.options if option.name in ("--probability", "--every")]


def _share(option: Option) -> Condition:
    negated, nth = option.negated, option.name == "--every"

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        text = words[0]
        share: Fraction = nth_share(int(text, 0), negated) if nth else _chance(text, negated)
        if share == 1:
            return Truth.YES
        if share == 0:
            return Truth.NO
        return (Branch(share, True, state), Branch(1 - share, False, state))

    return Condition(option.slots, test)
