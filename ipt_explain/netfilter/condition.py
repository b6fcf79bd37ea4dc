"""What one condition of a rule says of a packet: yes, no, or some of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from ipt_explain.model import Rule
from ipt_explain.netfilter.packet import Literals, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability
from ipt_explain.netfilter.truth import Truth
from ipt_explain.records import dataclass

_HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Branch:
    """A share of packets that a condition, or a whole rule, treats alike."""

    share: Probability
    matches: bool
    state: PacketState


@dataclass(frozen=True, slots=True)
class Question:
    """What the dump cannot decide: the condition holds if it is so, or, with `invert`, if it is not."""

    text: str
    invert: bool = False


Answer = Truth | Question | tuple[Branch, ...]
"""`YES`, `NO`, a question, or branches whose shares sum to 1. `UNKNOWN` is never answered: it asks instead."""

Condition = Callable[[Rule, PacketState], Answer]


def ask(state: PacketState, text: str, invert: bool = False) -> Truth | Question:
    """A question, or its answer where that has been assumed."""
    known = state.answer(text)
    return Question(text, invert) if known is None else Truth.of(known is not invert)


def decide(truth: Truth, state: PacketState, text: str, invert: bool = False) -> Truth | Question:
    """A truth as an answer, asking where it is unknown."""
    return ask(state, text, invert) if truth is Truth.UNKNOWN else truth.inverted(invert)


def split(questions: Sequence[Question], state: PacketState) -> tuple[Branch, ...]:
    """Both ways on from questions that a rule asks together: all as it takes, or not all; each half of the packets.

    Half is no estimate; it keeps sums whole. Which of several do not hold is left open, or three sets would make seven
    ways. Each branch's state remembers what was assumed.
    """
    literals = tuple(dict.fromkeys((question.text, not question.invert) for question in questions))
    if len(dict(literals)) < len(literals):
        return (Branch(ALWAYS, False, state),)  # it takes both answers to one question
    if len(literals) == 1 and not literals[0][1]:
        ((text, _),) = literals
        literals, matches = ((text, True),), False  # one question is put without its `!`
    else:
        matches = True
    if any(not hold and set(refuted) <= set(literals) for refuted, hold in state.answers):
        return (Branch(ALWAYS, False, state),)
    return (
        Branch(_HALF, True, state.knowing(literals, matches)),
        Branch(_HALF, False, state.knowing(literals, not matches)),
    )


def worded(literals: Literals) -> str:
    """Questions as text."""
    return " and ".join(text if wanted else f"not {text}" for text, wanted in literals)
