"""Converting lines of ipset to sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import count
from operator import itemgetter

from ipt_explain.model import Family
from ipt_explain.model.node.ipsets import BridgePort, Dimension, ElementPart, IpSet, SetElement, SetMethod, SetPort
from ipt_explain.parsing.line_forms import LineForm, ReadLine
from ipt_explain.records import replace
from ipt_explain.words.names import PROTOCOLS

_NAMES = frozenset({Dimension.SET, Dimension.INTERFACE})
_FAMILIES = {"inet": Family.IPV4, "inet6": Family.IPV6}
_PROTOCOLS = {str(number): name for number, name in PROTOCOLS.items()}  # ipset without /etc/protocols
_set_port = lru_cache(maxsize=65536)(SetPort)


class _Draft:
    """A set while it is read. `entries` is the number of elements in its header."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.number = number
        self.method: SetMethod | None = None
        self.dimensions: tuple[Dimension, ...] = ()
        self.family: Family | None = None
        self.mask: str | None = None
        self.mark_mask: int | None = None
        self.entries: int | None = None
        self.elements: list[SetElement] = []
        self.skipped = False

    def give_type(self, text: str) -> None:
        method, _, dimensions = text.partition(":")
        self.method = SetMethod(method)
        try:
            self.dimensions = tuple(map(Dimension, dimensions.split(",")))
        except ValueError:
            raise ValueError(f"{text} is an unknown type of set") from None

    def give_options(self, line: ReadLine) -> None:
        family = line.get("FAMILY")
        if family is not None:
            self.family = _FAMILIES[family]
        elif self.method is not SetMethod.LIST and not {Dimension.IP, Dimension.NET}.isdisjoint(self.dimensions):
            self.family = Family.IPV4
        self.mask = line.get("MASK")
        mark_mask = line.get("MARKMASK")
        self.mark_mask = None if mark_mask is None else int(mark_mask, 16)

    @property
    def missing(self) -> int:
        """How many elements of the header's count were not shown; those with a timeout may have expired."""
        if self.entries is None or any(element.timeout is not None for element in self.elements):
            return 0
        return max(0, self.entries - len(self.elements))

    def build(self) -> IpSet:
        complete = self.method is not None and not self.missing and not self.skipped
        if self.method is None:
            self._guess_type()
        assert self.method is not None
        elements = tuple(self.elements)
        if not _NAMES.isdisjoint(self.dimensions):
            elements = tuple(replace(each, parts=self._with_names(each.parts)) for each in elements)
        return IpSet(
            self.name, self.method, self.dimensions, self.family, elements, self.number, complete,
            self.mask, self.mark_mask,
        )  # fmt: skip

    def _with_names(self, parts: tuple[ElementPart, ...]) -> tuple[ElementPart, ...]:
        """The parts of an element; what looks like a port is a name if the type says so."""
        return tuple(
            (part.port if part.protocol is None else f"{part.protocol}:{part.port}")
            if dimension in _NAMES and isinstance(part, SetPort)
            else part
            for dimension, part in zip(self.dimensions, parts)
        )

    def _guess_type(self) -> None:
        """Guess the type of a set with only `add` lines from its first element."""
        parts = self.elements[0].parts if self.elements else ()
        self.method = SetMethod.HASH
        self.dimensions = tuple(map(_looks_like, parts))
        hosts = [part for part in parts if isinstance(part, str) and _looks_like(part) in (Dimension.IP, Dimension.NET)]
        if hosts:
            self.family = Family.IPV6 if ":" in hosts[0] else Family.IPV4
        elif self.dimensions == (Dimension.PORT,):
            self.method = SetMethod.BITMAP


def _looks_like(part: ElementPart) -> Dimension:
    if isinstance(part, SetPort):
        return Dimension.PORT
    if isinstance(part, BridgePort):
        return Dimension.INTERFACE
    if part.startswith("0x"):
        return Dimension.MARK
    if "/" in part:
        return Dimension.NET
    return Dimension.IP if "." in part or ":" in part else Dimension.SET


class SetReader:
    """Reads lines of `ipset save` and `ipset list`. A repeated set replaces the earlier one."""

    def __init__(self) -> None:
        self._drafts: dict[str, _Draft] = {}
        self._listed: _Draft | None = None
        self._in_members = self._paused = False
        self._plans: dict[LineForm, tuple[_Part, ...]] = {}

    @property
    def awaits_member(self) -> bool:
        """Whether the next line, unless blank, is an element of the current set."""
        draft = self._listed
        if draft is None or not self._in_members or self._paused:
            return False
        return draft.entries is None or len(draft.elements) < draft.entries

    @property
    def has_sets(self) -> bool:
        """Whether the elements of the current set are names of sets."""
        return self._listed is not None and self._listed.method is SetMethod.LIST

    @property
    def takes_member(self) -> bool:
        """Whether the next line may be an element of the current set, if it looks like one."""
        return self._listed is not None and self._in_members

    @property
    def awaits_header(self) -> bool:
        """Whether the next line may be another field of the current set."""
        return self._listed is not None and not self._in_members

    @property
    def is_open(self) -> bool:
        """Whether a set is being listed, to which the next line may belong."""
        return self._listed is not None

    def holds(self, name: str) -> bool:
        """Whether a set of this name has been declared."""
        return name in self._drafts

    def take(self, line: ReadLine, number: int) -> None:
        """Read one line. Raises ValueError for anything invalid in a set."""
        kind = line.form.kind
        if kind == "added":
            self._draft(line.word("SET"), number).elements.append(self._element(line, number))
        elif kind == "member":
            if self._listed is not None:
                self._listed.elements.append(self._element(line, number))
        elif kind == "created":
            draft = self._drafts[line.word("SET")] = _Draft(line.word("SET"), number)
            draft.give_type(line.word("TYPE"))
            draft.give_options(line)
        elif kind == "name":
            self._listed = self._drafts[line.word("SET")] = _Draft(line.word("SET"), number)
            self._in_members = self._paused = False
        elif self._listed is not None:
            self._take_field(self._listed, line)

    def take_added(self, form: LineForm, rows: Sequence[tuple[str, ...]], number: int) -> None:
        """Read lines that add elements to one set, of a form without extensions."""
        plan = self._plan(form)
        elements = map(SetElement, zip(*[map(part, rows) for part in plan]), count(number))
        self._draft(rows[0][form.first["SET"]], number).elements.extend(elements)

    def skip_member(self) -> None:
        """Record an unreadable line: the set that it belongs to is incomplete."""
        if self._listed is not None:
            self._listed.skipped = True

    def cut_short(self) -> None:
        """Record that a part of this set may be missing, unless its header counts what there is."""
        if self._listed is not None and self._listed.entries is None:
            self._listed.skipped = True

    def pause(self) -> None:
        """An empty line, which ends this set if it is not the one below `Members:`."""
        if self._listed is None or not self._in_members or self._listed.elements:
            self.end()
        else:
            self._paused = True

    def end(self) -> None:
        """End this set: what follows belongs to another set or output."""
        self._listed = None
        self._in_members = self._paused = False

    def sets(self) -> tuple[IpSet, ...]:
        """All sets, in the order of their first mention."""
        return tuple(draft.build() for draft in self._drafts.values())

    def cut(self) -> list[tuple[IpSet, int]]:
        """Sets with missing elements, and how many are missing."""
        return [(draft.build(), draft.missing) for draft in self._drafts.values() if draft.missing]

    def _take_field(self, draft: _Draft, line: ReadLine) -> None:
        kind = line.form.kind
        if kind == "type":
            draft.give_type(line.word("TYPE"))
        elif kind == "header":
            draft.give_options(line)
        elif kind == "entries":
            draft.entries = int(line.word("ENTRIES"))
        elif kind == "members":
            self._in_members = True

    def _draft(self, name: str, number: int) -> _Draft:
        found = self._drafts.get(name)
        return self._drafts.setdefault(name, _Draft(name, number)) if found is None else found

    def _plan(self, form: LineForm) -> tuple[_Part, ...]:
        plan = self._plans.get(form)
        if plan is None:
            plan = self._plans[form] = _plan(form)
        return plan

    def _element(self, line: ReadLine, number: int) -> SetElement:
        form, words = line.form, line.words
        parts = tuple([part(words) for part in self._plan(form)])
        if _EXTENSIONS.isdisjoint(form.first):
            return SetElement(parts, number)
        seconds, text = line.get("SECONDS"), line.get("TEXT")
        timeout = None if seconds is None else int(seconds)
        return SetElement(parts, number, line.has("NOMATCH"), timeout, None if text is None else text[1:-1])


_EXTENSIONS = frozenset({"SECONDS", "TEXT", "NOMATCH"})
_Words = tuple[str, ...]
_Part = Callable[[_Words], ElementPart]


def _plan(form: LineForm) -> tuple[_Part, ...]:
    """How to convert the words of a line of this form to an element's parts."""
    terminals = form.terminals
    plan: list[_Part] = []
    for place, terminal in enumerate(terminals):
        if terminal == "SERVICE":
            plan.append(_port_of(place - 2, place))
        elif terminal == "NUMBER":
            plan.append(_port(place))
        elif terminal == "BRIDGE_PORT":
            plan.append(_bridge_port(place))
        elif terminal in ("ADDRESS", "MARK", "WORD"):
            plan.append(itemgetter(place))
    return tuple(plan)


def _port_of(protocol: int, port: int) -> _Part:
    return lambda words: _set_port(_PROTOCOLS.get(words[protocol], words[protocol]), words[port])


def _port(place: int) -> _Part:
    return lambda words: _set_port(None, words[place])


def _bridge_port(place: int) -> _Part:
    return lambda words: BridgePort(words[place])
