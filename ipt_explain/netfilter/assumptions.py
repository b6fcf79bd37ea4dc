"""Assumptions about a packet that the dump does not decide, and merging them.

A node has a chain for each of its pods, and chooses among them by interface: `-i cali1`, `-i cali2`, … A packet has
only one of these, and after the chains it no longer matters which. Following each case separately, and again for each
interface that the packet may leave by, would turn one packet into ten thousand on a node with a hundred pods.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import prod
from typing import ClassVar
from weakref import WeakValueDictionary

from ipt_explain.enums import Enum
from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import NamedTuple

_HALF = Fraction(1, 2)
ARRIVING = ("-i ", "iifname ", "iif ")
LEAVING = ("-o ", "oifname ", "oif ")
SOURCES = ("-s ", "ip saddr ", "ip6 saddr ")
OF_ORIGIN = (
    *ARRIVING, *LEAVING, *SOURCES, "-m rpfilter", "-m owner ", "-m mac ", "-m set ",
    "fib saddr ", "meta skuid ", "meta skgid ", "ether saddr ",
)  # fmt: skip
"""How questions begin about interfaces, source addresses and whatever else only tells who sends a packet, of iptables
and of nftables."""

_MSS = lazy_pattern(r"-m tcpmss --mss (\d+)(?::(\d+))?$")
_SMALLEST_MSS, _LARGEST_MSS = 536, 65495
"""What a TCP announces at least, for the smallest datagram that every host takes (RFC 879), and at most, on lo."""


def is_odd_mss(question: str, answer: bool) -> bool:
    """Whether a question has this answer only for packets that announce a maximum segment size that no usual TCP does:
    rules against floods of tiny segments ask for it."""
    found = _MSS.match(question)
    if found is None:
        return False
    first, last = int(found[1]), int(found[2] or found[1])
    return last < _SMALLEST_MSS if answer else first <= _SMALLEST_MSS and last >= _LARGEST_MSS


class Side(Enum):
    """Which of a packet's interfaces a question is about."""

    ARRIVING = "arriving"
    LEAVING = "leaving"


_SIDES = {"-i ": Side.ARRIVING, "-o ": Side.LEAVING} | {
    f'{word}"': side
    for side, words in ((Side.ARRIVING, ARRIVING[1:]), (Side.LEAVING, LEAVING[1:]))
    for word in words
}
"""By how a question about one interface begins, up to the name; those of nftables end with a quote, too."""
FEWEST_AT_ONCE = 4
"""Fewer interfaces are named one by one."""

SENT_PLACE = "the address and port that it was sent to"
BOUND_PLACE = "the address and port that it is bound for"
"""What one question for all packets of a crowd calls the places that they are bound for. `naming` names each."""

Literals = tuple[tuple[str, bool], ...]
"""Questions, each with the answer that is required."""


class Assumption:
    """The assumption that all answers hold, or that not all do. `share` is the part of the packets that it covers:
    half, as nothing is known, or the sum of merged assumptions.

    If it is about interfaces (`side`), the packet has one of those `chosen`, or none of those `excluded`; otherwise
    both are empty. Equal assumptions are one object, since states are compared often.
    """

    __slots__ = ("__weakref__", "chosen", "excluded", "flag", "hold", "literals", "share", "side")
    _known: ClassVar[WeakValueDictionary[tuple[Literals, bool, Fraction], Assumption]] = WeakValueDictionary()

    literals: Literals
    hold: bool
    share: Fraction
    flag: str
    side: Side | None
    chosen: tuple[str, ...]
    excluded: tuple[str, ...]

    def __new__(cls, literals: Literals, hold: bool, share: Fraction = _HALF) -> Assumption:  # noqa: PYI034, the one
        """The one object with these values."""
        known = cls._known.get((literals, hold, share))
        if known is not None:
            return known
        made = super().__new__(cls)
        made.literals, made.hold, made.share = literals, hold, share
        made.flag, names = _interfaces(literals)
        made.side = _SIDES.get(made.flag)
        has = hold is literals[0][1] if len(literals) == 1 else not hold
        made.chosen, made.excluded = (names, ()) if has else ((), names)
        cls._known[literals, hold, share] = made
        return made

    def __reduce__(self) -> tuple[type[Assumption], tuple[Literals, bool, Fraction]]:
        return Assumption, (self.literals, self.hold, self.share)

    @property
    def opposite(self) -> Assumption:
        """The assumption about the other packets."""
        return Assumption(self.literals, not self.hold, 1 - self.share)

    def naming(self, names: Mapping[str, str]) -> Assumption:
        """The same assumption with its questions reworded."""
        literals = tuple([(names[text], wanted) for text, wanted in self.literals])
        return self if literals == self.literals else Assumption(literals, self.hold, self.share)

    @property
    def is_shared(self) -> bool:
        """Whether it is one question about the different destinations of a crowd's packets."""
        return any(SENT_PLACE in text or BOUND_PLACE in text for text, _ in self.literals)

    @property
    def of_source(self) -> bool:
        """Whether it is only about a packet's source address or interface."""
        return all(text.startswith((*SOURCES, *ARRIVING)) for text, _ in self.literals)

    @property
    def question(self) -> str:
        """The question as text: `-i eth0 and -o eth1`; `-i cali1, cali2 or 108 more`."""
        if len(self.literals) == 1 or not self.flag:
            return " and ".join(text if wanted else f"not {text}" for text, wanted in self.literals)
        quote = _quote(self.flag)
        first, second, *more = [f"{quote}{name}{quote}" for name in self.chosen or self.excluded]
        flag = self.flag.removesuffix(quote)
        return f"{flag}{first}, {second} or {len(more):,} more" if more else f"{flag}{first} or {second}"

    @property
    def questions(self) -> tuple[str, ...]:
        """The question, with a text for each excluded interface: `-i eth0`, `-i eth1`."""
        return tuple([_spelled(self.flag, name) for name in self.excluded]) or (self.question,)

    @property
    def affirmed(self) -> bool:
        """Whether the answer to the question is yes."""
        return bool(self.chosen) if self.flag and len(self.literals) > 1 else self.hold

    @property
    def statements(self) -> tuple[str, ...]:
        """What holds, with a text for each excluded interface: `not -i eth0`, `not -i eth1`."""
        return tuple([f"not {text}" for text in self.questions]) if self.excluded else (str(self),)

    def __str__(self) -> str:
        """What holds: `-i eth0`, `not -i eth0`, `not (-i eth0 and -o eth1)`."""
        if self.affirmed:
            return self.question
        return f"not {self.question}" if len(self.literals) == 1 or self.flag else f"not ({self.question})"


Answers = tuple[Assumption, ...]
"""Assumptions, in the order made."""


class InterfaceChoice(NamedTuple):
    """Assumptions in two parts: that a packet has one of some `interfaces`, at `place`, and the `others`. `said` are
    the assumptions that the first part replaces: it implies that the packet has no other interface."""

    interfaces: tuple[str, ...]
    flag: str
    place: int
    others: Answers
    said: Answers

    @property
    def share(self) -> Fraction:
        """The part of the packets that it covers."""
        return share_of_answers(self.said)


def choice(answers: Answers) -> InterfaceChoice | None:
    """The latest choice of an interface among assumptions; None if there is none."""
    number = next((number for number in range(len(answers) - 1, -1, -1) if answers[number].chosen), None)
    if number is None:
        return None
    flag, side = answers[number].flag, answers[number].side
    said, others, place = [answers[number]], [], number
    for at, each in enumerate(answers):
        if each.excluded and each.side is side:
            said.append(each)
            place -= at < number
        elif at != number:
            others.append(each)
    return InterfaceChoice(answers[number].chosen, flag, place, tuple(others), tuple(said))


def share_of_answers(assumptions: Iterable[Assumption]) -> Fraction:
    """The part of the packets that assumptions cover together."""
    shares = [each.share for each in assumptions]
    others = [share for share in shares if share is not _HALF]
    return prod(others, start=Fraction(1, 1 << (len(shares) - len(others))))


def joined_choices(choices: Sequence[InterfaceChoice]) -> Answers:
    """Merges choices that differ only in their interfaces."""
    first = choices[0]
    names = dict.fromkeys(name for each in choices for name in each.interfaces)
    share = sum((each.share for each in choices), Fraction(0))
    one = Assumption(none_of(first.flag, names), False, share)
    return (*first.others[: first.place], one, *first.others[first.place :])


def worth_joining(choices: Sequence[InterfaceChoice]) -> bool:
    """Whether there are too many interfaces to name them one by one."""
    return len(choices) > 1 and sum(len(each.interfaces) for each in choices) >= FEWEST_AT_ONCE


def condensed(answers: Answers) -> Answers:
    """The same assumptions, with many about excluded interfaces merged into one."""
    for flag in dict.fromkeys(each.flag for each in answers if each.excluded):
        same = [each for each in answers if each.flag == flag]
        names = [name for each in same for name in each.excluded]
        if len(same) > 1 and len(names) >= FEWEST_AT_ONCE and not any(each.chosen for each in same):
            one = Assumption(none_of(flag, dict.fromkeys(names)), True, share_of_answers(same))
            place = answers.index(same[0])
            answers = (*answers[:place], one, *(each for each in answers[place:] if each.flag != flag))
    return answers


def none_of(flag: str, names: Iterable[str]) -> Literals:
    """The assumption that a packet has none of these interfaces, the same for any order of names."""
    return tuple([(_spelled(flag, name), False) for name in sorted(names)])


def user_answer(assumed: Literals, question: str) -> bool | None:
    """The user's answer to a question, decided by the first text that is part of it; None if no text is."""
    for text, answer in assumed:
        if text in question:
            return answer
    return None


@lru_cache(maxsize=64)
def known_answers(answers: Answers, assumed: Literals) -> Mapping[str, bool]:
    """The questions that assumptions answer: all of an assumption that holds; of another one the last that is open, if
    the others hold, as assumed or as the user said (`assumed`)."""
    certain: dict[str, bool] = {}
    for each in answers:
        if each.hold or len(each.literals) == 1:
            for text, wanted in dict(each.literals).items():
                certain.setdefault(text, wanted is each.hold)
    implied = dict(certain)
    for each in answers:
        if not each.hold and len(each.literals) > 1:
            left = {}
            for text, wanted in each.literals:
                given = user_answer(assumed, text) if assumed else None
                if (certain.get(text) if given is None else given) is not wanted:
                    left[text] = wanted
            if len(left) == 1:
                ((text, wanted),) = left.items()
                implied.setdefault(text, not wanted)
    return implied


@lru_cache(maxsize=4096)
def _interfaces(literals: Literals) -> tuple[str, tuple[str, ...]]:
    """The flag and the interfaces of questions of which a packet can satisfy at most one; empty for other questions.
    Several interfaces are all negated."""
    for flag in _SIDES:
        asked = [text.removeprefix(flag) for text, _ in literals if text.startswith(flag)]
        names = [name for text in asked if (name := _interface_name(flag, text)) is not None]
        if len(names) == len(literals) and (len(names) == 1 or not any(wanted for _, wanted in literals)):
            return flag, tuple(names)
    return "", ()


def _interface_name(flag: str, text: str) -> str | None:
    """The interface that a question is about, by the rest of its text; None if it is about several, or none."""
    if not flag.endswith('"'):
        return None if text.endswith("+") else text
    name = text.removesuffix('"')
    return None if name is text or any(sign in name for sign in '"*\\') else name


def _quote(flag: str) -> str:
    return '"' if flag.endswith('"') else ""


def _spelled(flag: str, name: str) -> str:
    return f"{flag}{name}{_quote(flag)}"
