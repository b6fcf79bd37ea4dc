"""What assumptions about a packet say about an interface that the dump does not show."""

from __future__ import annotations

from functools import lru_cache

from ipt_explain.netfilter.assumptions import ARRIVING, LEAVING, Answers, Side
from ipt_explain.netfilter.header import interface_fits
from ipt_explain.netfilter.truth import Truth
from ipt_explain.records import Record

_STARTS = {Side.ARRIVING: ARRIVING, Side.LEAVING: LEAVING}


class InterfaceFacts(Record):
    """The interface is one of `among` (None: any), fits the patterns `within`, is none of `apart` and fits none of
    `apart_from`. Patterns end in `+`, as those of iptables."""

    among: tuple[str, ...] | None
    within: tuple[str, ...]
    apart: frozenset[str]
    apart_from: tuple[str, ...]

    def fits(self, pattern: str) -> Truth:
        """Whether it has this name, or fits this pattern."""
        if self.among is not None:
            fitting = {interface_fits(pattern, name) for name in self.among}
            return Truth.of(fitting.pop()) if len(fitting) == 1 else Truth.UNKNOWN
        if pattern in self.apart or any(interface_fits(one, pattern.removesuffix("+")) for one in self.apart_from):
            return Truth.NO
        for known in self.within:
            if pattern.endswith("+") and interface_fits(pattern, known.removesuffix("+")):
                return Truth.YES
            if not interface_fits(known, pattern.removesuffix("+")):
                return Truth.NO
        return Truth.UNKNOWN


@lru_cache(maxsize=1024)
def interface_facts(answers: Answers, side: Side) -> InterfaceFacts:
    """What a packet's assumptions say about one of its interfaces."""
    among: tuple[str, ...] | None = None
    within: list[str] = []
    apart: set[str] = set()
    apart_from: list[str] = []
    for assumed in answers:
        if assumed.side is side:
            if assumed.chosen:
                among = assumed.chosen
            apart.update(assumed.excluded)
        elif len(assumed.literals) == 1:
            ((text, wanted),) = assumed.literals
            pattern = _pattern(text, side)
            if pattern is not None:
                (within if assumed.hold is wanted else apart_from).append(pattern)
    if among is not None:
        among = tuple([name for name in among if name not in apart])
    return InterfaceFacts(among, tuple(within), frozenset(apart), tuple(apart_from))


def known_interface(answers: Answers, side: Side) -> str | InterfaceFacts | None:
    """The name of the interface if assumptions determine it; otherwise what they say about it, or None if they say
    nothing."""
    facts = interface_facts(answers, side)
    if facts.among is not None and len(facts.among) == 1:
        return facts.among[0]
    return facts if facts.among or facts.within or facts.apart or facts.apart_from else None


def _pattern(text: str, side: Side) -> str | None:
    """The pattern that a question asks about; None for other questions."""
    start = next((each for each in _STARTS[side] if text.startswith(each)), None)
    if start is None:
        return None
    known = text.removeprefix(start)
    if start == _STARTS[side][0]:
        return known if known.endswith("+") else None
    return f"{known[1:-2]}+" if known.count('"') == 2 and known.endswith('*"') and "\\" not in known else None
