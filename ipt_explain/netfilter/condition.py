"""What one condition of a rule says of a packet: yes, no, or some of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from ipt_explain.model import Match
from ipt_explain.netfilter.packet import Bound, Heading, PacketState
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

Column = str | Sequence[str]
"""A word that all rules of a batch share, or each one's own."""

Words = tuple[str, ...]
"""Arguments of a rule's options, decoded."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that rules of a shape ask of a packet.

    `slots` are the values of the rule that it reads; `test` takes their words, the packet's state, and where it is
    bound for. `bound`: it looks at that last one, else it answers alike for packets to anywhere; `sent`: it looks at
    where each was sent at first. `alone`: each rule asks for itself, even where two read the same. `at_once` may tell,
    from a column of words as written a slot and from where each packet is bound for, what all rules of a batch answer,
    or each; None where they must be asked. `share` tells how many packets match where only chance decides, by the word
    in its one slot.
    """

    slots: tuple[int, ...]
    test: Callable[[Words, PacketState, Bound], Answer]
    bound: bool = False
    alone: bool = False
    sent: bool = False
    at_once: Callable[[Sequence[Column], PacketState, Sequence[Heading]], Answer | list[Answer] | None] | None = None
    share: Callable[[str], Probability] | None = None


def slots_of(match: Match) -> tuple[int, ...]:
    """The values that all options of a match read, in order."""
    return tuple(slot for option in match.options for slot in option.slots)


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
    asked = set(literals)
    refuted = (each.literals for each in state.answers if not each.hold)
    if any(each[0] in asked and asked.issuperset(each) for each in refuted):
        return (Branch(ALWAYS, False, state),)
    return (
        Branch(_HALF, True, state.knowing(literals, matches)),
        Branch(_HALF, False, state.knowing(literals, not matches)),
    )
