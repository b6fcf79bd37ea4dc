"""One condition of a rule, and its answer for a packet: yes, no, a question, or some of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from ipt_explain.model import Family, Match, Option, Rule
from ipt_explain.model.kernel import ADDRESS_BITS
from ipt_explain.netfilter.header import WITH_PORTS, format_address, protocol_name
from ipt_explain.netfilter.packet import Bound, Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Address, address_text
from ipt_explain.records import Record

if TYPE_CHECKING:
    from typing import Protocol

    class Bounds(Protocol):
        """The destinations of a crowd's packets."""

        @property
        def to(self) -> Sequence[Heading]:
            """Each packet's destination."""

        @property
        def sent(self) -> Sequence[Heading]:
            """Each packet's original destination."""


_HALF = Fraction(1, 2)
OF_THIS_NODE = " is an address of this node"
OWN_DESTINATION = f"the address that it was sent to{OF_THIS_NODE}"
OWN_SOURCE = "-s the address that it was sent to"
"""One question for all packets of a crowd, so that they stay together. `naming` says which address is meant."""


class Branch(Record):
    """A share of packets that a condition, or a whole rule, treats alike."""

    share: Probability
    matches: bool
    state: PacketState


class Question(Record):
    """A question that the dump cannot decide. The condition holds if the answer is yes, or with `invert` if it is
    no."""

    text: str
    invert: bool = False


Answer = Truth | Question | tuple[Branch, ...]
"""`YES`, `NO`, a question (never `UNKNOWN`), or branches whose shares sum to 1."""

Column = str | Sequence[str]
"""A word that all rules of a batch share, or the word of each."""

Words = tuple[str, ...]
"""Arguments of a rule's options, decoded."""


class Condition(Record):
    """One condition of the rules of a shape.

    `slots` are the rule's values that it reads; `test` takes their words, the packet's state and its destination. The
    answer depends on the destination only if `bound`, and on the original destination only if `sent`. `alone`: each
    rule has its own answer, even if two read the same. `at_once` takes a column of words for each slot, and the
    packets' destinations; it returns one answer for all rules of a batch, or one for each, or None if each must be
    tested by itself. `share` is the share of packets that match at random, given the word in the only slot.
    """

    slots: tuple[int, ...]
    test: Callable[[Words, PacketState, Bound], Answer]
    bound: bool = False
    alone: bool = False
    sent: bool = False
    at_once: Callable[[Sequence[Column], PacketState, Bounds], Answer | list[Answer] | None] | None = None
    share: Callable[[str], Probability] | None = None


def slots_of(match: Match) -> tuple[int, ...]:
    """The values that all options of a match read, in order."""
    return tuple(slot for option in match.options for slot in option.slots)


def ask(state: PacketState, text: str, invert: bool = False) -> Truth | Question:
    """A question, or its answer if one is assumed."""
    known = state.answer(text)
    return Question(text, invert) if known is None else Truth.of(known is not invert)


def decide(truth: Truth, state: PacketState, text: str, invert: bool) -> Truth | Question:
    """A truth as an answer: a question if it is unknown."""
    return ask(state, text, invert) if truth is Truth.UNKNOWN else truth.inverted(invert)


def own_address_question(address: Address, family: Family) -> str:
    """The question whether the node has an address."""
    return f"{address_text(address, family)}{OF_THIS_NODE}"


def source_question(address: int, family: Family) -> str:
    """The question whether a packet comes from an address, as iptables-save prints the match."""
    return f"-s {format_address(address, family)}/{ADDRESS_BITS[family]}"


def decide_own(state: PacketState, address: Address, sent: Address | None, invert: bool = False) -> Truth | Question:
    """Whether the node has an address, for addrtype, fib and routing. `sent` is the packet's original destination."""
    owned = state.owns(address)
    if owned is not Truth.UNKNOWN:
        return owned.inverted(invert)
    if address == sent and not state.node.assumed:
        return ask(state, OWN_DESTINATION, invert)
    return ask(state, own_address_question(address, state.connection.family), invert)


def place_text(place: Heading, state: PacketState) -> str:
    """An address and, for protocols that have ports, a port: `10.96.0.1,tcp:443`."""
    text = "an address of this node" if place.address is None else address_text(place.address, state.connection.family)
    if state.connection.protocol not in WITH_PORTS:
        return text
    return f"{text},{protocol_name(state.connection.protocol)}:{'?' if place.port is None else place.port}"


def shared_place(place: Heading, sent: Heading, state: PacketState) -> str | None:
    """How one question for all packets of a crowd refers to their destinations; None if each packet is asked
    separately."""
    node = state.node
    if not node.names_later or node.assumed or state.connection.known or not isinstance(place.address, int):
        return None
    from ipt_explain.netfilter.assumptions import BOUND_PLACE, SENT_PLACE

    return SENT_PLACE if place == sent else BOUND_PLACE


def split(questions: Sequence[Question], state: PacketState) -> tuple[Branch, ...]:
    """The two answers to a rule's questions: all as the rule requires, or not all. Each covers half of the packets.

    Half is not an estimate; it only makes shares sum to 1. Which of several answers differ is left open: otherwise
    three questions would make seven branches. Each branch's state has the assumption.
    """
    literals = tuple(dict.fromkeys((question.text, not question.invert) for question in questions))
    if len(dict(literals)) < len(literals):
        return (Branch(ALWAYS, False, state),)  # the rule requires both answers to one question
    if len(literals) == 1 and not literals[0][1]:
        ((text, _),) = literals
        literals, matches = ((text, True),), False  # a single question is asked without its `!`
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


def decided(
    option: Option, holds: Callable[[Words, PacketState, Bound], bool], bound: bool = False, sent: bool = False
) -> Condition:
    """The condition of one option. `holds` says whether a packet satisfies it, without the option's `!`; `bound` and
    `sent` are the Condition's."""
    negated = option.negated

    def test(words: Words, state: PacketState, to: Bound) -> Answer:
        return Truth.of(holds(words, state, to) is not negated)

    return Condition(option.slots, test, bound, sent=sent)


# Each rule has its own bucket, counter or quota, even if two rules read the same.
_PER_RULE = frozenset({"limit", "quota", "connlimit", "rateest"})


def undecided(match: Match) -> list[Condition]:
    """A match that no dump can decide (a socket's owner, the time of day, the level of a token bucket) as one question,
    without the `!` of a single negated option. It is the text of the match, so that users can copy it to `--assume`."""
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
