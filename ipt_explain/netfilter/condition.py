"""What one condition of a rule says of a packet: yes, no, or some of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from ipt_explain.model import Rule
from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.truth import Truth

_HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Branch:
    """A share of packets that a condition, or a whole rule, treats alike."""

    share: Fraction
    matches: bool
    state: PacketState


Answer = Truth | tuple[Branch, ...]
"""`YES`, `NO`, or branches whose shares sum to 1. `UNKNOWN` is never answered: `ask` splits instead."""

Condition = Callable[[Rule, PacketState], Answer]


def ask(state: PacketState, question: str, invert: bool = False) -> Answer:
    """Answer a question that the dump cannot decide: as assumed, else both ways, each half of the packets.

    Half is no estimate; it keeps sums whole. Each answer is remembered in its branch's state.
    """
    known = state.answer(question)
    if known is not None:
        return Truth.of(known is not invert)
    return (
        Branch(_HALF, not invert, state.knowing(question, True)),
        Branch(_HALF, invert, state.knowing(question, False)),
    )


def decide(truth: Truth, state: PacketState, question: str, invert: bool = False) -> Answer:
    """A truth as an answer, asking where it is unknown."""
    return ask(state, question, invert) if truth is Truth.UNKNOWN else truth.inverted(invert)
