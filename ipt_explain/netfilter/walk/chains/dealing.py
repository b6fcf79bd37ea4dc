"""Consecutive rules that choose by chance: the share of packets that each takes, and the share that is left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from ipt_explain.model import Shape
from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.probability import ALWAYS, NEVER, Probability, taken
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.chains.evaluator import Outcome

Dealt = tuple[Sequence[Probability], Probability]
"""Which share of the packets that get to a run of rules each of them takes, and which share is left."""


def deal(chances: Iterable[Probability]) -> Dealt:
    """The share that each rule takes, and the share that is left, if each takes a packet that reaches it with such a
    chance."""
    parts: list[Probability] = []
    left: Probability = ALWAYS
    for chance in chances:
        share, left = taken(left, chance) if chance else (NEVER, left)
        parts.append(share)
    return parts, left


@lru_cache(maxsize=4096)
def dealt_as_written(share: Callable[[str], Probability], words: tuple[str, ...]) -> Dealt | None:
    """The same, given the rules' words; None if one cannot be parsed. Cached, as few of ten thousand balancers
    differ."""
    try:
        return deal(map(share, words))
    except ValueError:
        return None


def by_chance(shape: Shape) -> bool:
    """Whether it pays to ask consecutive rules of this shape together: they choose chains by chance, or by who
    connected before."""
    target = shape.target
    chain = target is not None and target.slot is not None
    by_counting = shape.match_option("statistic", "--every") is not None
    return chain and not by_counting and (shape.has_match("statistic") or shape.has_match("recent"))


def chance_of(outcome: Outcome, state: PacketState) -> Probability | None:
    """The share of packets that match, if only chance decides."""
    if isinstance(outcome, Truth):
        return ALWAYS if outcome is Truth.YES else NEVER
    if any(branch.state is not state for branch in outcome):
        return None
    matching = [branch.share for branch in outcome if branch.matches]
    return matching[0] if len(matching) == 1 else sum(matching, NEVER)
