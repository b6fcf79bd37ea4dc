"""statistic: `random` and `nth`."""

from __future__ import annotations

from functools import lru_cache

from ipt_explain.model import Match, Option
from ipt_explain.netfilter.condition import Answer, Branch, Condition, Words, ask, option_texts, slots_of
from ipt_explain.netfilter.packet import Bound, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability, chance, nth_share
from ipt_explain.netfilter.truth import Truth

_chance = lru_cache(maxsize=4096)(chance)


def conditions(match: Match) -> list[Condition]:
    """statistic: `random` matches its share of packets; `nth` its long-run share.

    Each nth rule counts the packets that reach it and takes its share of those, whatever came before. No dump shows
    which ones: if another nth rule has taken some of them but not all, it is a question.
    """
    found: list[Condition] = []
    for option in match.options:
        if option.name == "--probability":
            found.append(_random(option))
        elif option.name == "--every":
            found.append(_nth(match, option))
    return found


def _random(option: Option) -> Condition:
    def share(text: str) -> Probability:
        return _chance(text, option.negated)

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        matching = share(words[0])
        if matching == 1:
            return Truth.YES
        if matching == 0:
            return Truth.NO
        return (Branch(matching, True, state), Branch(ALWAYS - matching, False, state))

    return Condition(option.slots, test, share=share)


def _nth(match: Match, option: Option) -> Condition:
    slots = slots_of(match)
    place = slots.index(option.slots[0])
    plain = tuple(Option(each.name, False, each.slots) for each in match.options)

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        share = nth_share(int(words[place], 0), option.negated)
        if share == 1:
            return Truth.YES
        if share == 0:
            return Truth.NO
        if bound.line in state.node.counted_together:
            question = " ".join(["-m statistic", *option_texts(plain, words)])
            return ask(state, f"{question} (line {bound.line})", option.negated)
        return (Branch(share, True, state.counted_by(bound.line)), Branch(1 - share, False, state))

    return Condition(slots, test, alone=True)
