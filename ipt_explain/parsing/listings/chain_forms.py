"""Whole chains of a listing at once: thousands differ from each other only in their values.

The form of a chain is made of what its rows were read as, one by one: a pattern of all its lines, whose groups are the
values with exactly the patterns by which rows of these forms are read, and what becomes of each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence

from ipt_explain.model import Chain, Layout
from ipt_explain.parsing.listings.columns import Header, count
from ipt_explain.parsing.listings.rules import TARGET, ReadRow
from ipt_explain.records import Record

_WORTH_COMPILING = 4
"""So many chains of a form are read row by row."""

_MOST_FORMS = 512
_MOST_TRIED = 12
"""Forms that chains had last; of these, one is nearly always the next one's."""

_MOST_ROWS = 32
_LONGEST = 8192  # as a row may be
_ABSENT = r"(?:0\.0\.0\.0/0|::/0|anywhere|\*|--|-f|!f)[ \t\n]"
_HOSTS = {"=": rf"(?!{_ABSENT})([^ \t\n!][^ \t\n]*)", "!": r"(![^ \t\n]+)"}
_COUNTS = r"(\d+[KMGTP]?)[ \t]+(\d+[KMGTP]?)[ \t]+"

_Step = str | tuple[int, Callable[[str], str] | None]
"""A constant, or a group and how to spell it."""


class _ChainForm(Record, eq=False):
    """`targets` and `counts` are the groups of names of chains that rows lead to, and of counters."""

    pattern: re.Pattern[str]
    header: Header
    layout: Layout
    steps: Sequence[_Step]
    targets: Sequence[int]
    counts: Sequence[int]


class ListedChain(Record):
    """A chain's rules, its columns, and where it ends."""

    rules: Chain
    header: Header
    end: int


class ChainForms:
    """The forms of chains seen so far. `reserved` are targets that are no chains."""

    def __init__(self, reserved: Collection[str]) -> None:
        self._reserved = reserved
        self._seen: dict[tuple[object, ...], int] = {}
        self._forms: dict[tuple[object, ...], _ChainForm] = {}
        self._latest: list[_ChainForm] = []

    def read(self, text: str, position: int, line: int) -> ListedChain | None:
        """The chain at a position, of line number `line`, if it has a known form and ends at an empty line."""
        for place, form in enumerate(self._latest):
            found = form.pattern.match(text, position)
            if found is not None:
                if place:
                    self._latest.insert(0, self._latest.pop(place))
                return self._made(form, found, line)
        return None

    def _made(self, form: _ChainForm, found: re.Match[str], line: int) -> ListedChain | None:
        whole, groups = found[0], found.groups()
        rows = len(form.layout)
        if not whole.isascii() or len(whole) > _LONGEST or whole.count("\n") != rows + 2:
            return None
        if any(groups[target] in self._reserved for target in form.targets):
            return None
        values = [
            step if isinstance(step, str) else groups[step[0]] if step[1] is None else step[1](groups[step[0]])
            for step in form.steps
        ]
        counts = tuple([str(count(groups[each])) for each in form.counts])
        return ListedChain(Chain(tuple(values), form.layout, line + 2, counts), form.header, found.end())

    def learn(self, columns: str, rows: Sequence[ReadRow]) -> None:
        """Learn from a chain that was read row by row, below a line that names its columns."""
        if not 0 < len(rows) <= _MOST_ROWS or not all(row.is_plain for row in rows):
            return
        key = (columns, *map(_key, rows))
        form = self._forms.get(key)
        if form is None:
            seen = self._seen.pop(key, 0) + 1
            if len(self._seen) >= _MOST_FORMS:
                self._seen.clear()
            self._seen[key] = seen
            if seen < _WORTH_COMPILING or len(self._forms) >= _MOST_FORMS:
                return
            form = self._forms[key] = _form(columns, rows)
        if form not in self._latest:
            self._latest.insert(0, form)
            del self._latest[_MOST_TRIED:]


def _key(row: ReadRow) -> tuple[object, ...]:
    """What rows of one form have in common."""
    constants = [None if grouped else constant for _, constant, grouped in _columns(row)]
    return (row.form.pattern, row.row_form.shape, row.row_form.steps, row.header, row.to_chain, *constants)


def _form(columns: str, rows: Sequence[ReadRow]) -> _ChainForm:
    parts = [rf"Chain ([^ \t\n()]+) \(\d+ references?\)\n{re.escape(columns)}\n"]
    steps: list[_Step] = [(0, None)]
    targets: list[int] = []
    counts: list[int] = []
    groups = 1
    for row in rows:
        parts.append(r"[ \t]*" + (r"\d+[ \t]+" if row.header.numbers else ""))
        if row.header.counts:
            parts.append(_COUNTS)
            counts += groups, groups + 1
            groups += 2
        place: dict[int, int] = {}  # of a column's group
        for column, part, grouped in _columns(row):
            parts.append(part)
            if grouped:
                place[column] = groups
                groups += 1
        words = groups
        details = row.form.pattern.pattern.removesuffix(r"\Z")
        parts.append(rf"[ \t]+{details}(?<![ \t])\n" if details else r"[ \t]*\n")
        groups += len(row.form.groups)
        if TARGET in place:
            targets.append(place[TARGET])
        constants = row.columns
        for step in row.row_form.steps[1:]:  # the first is the chain's name
            if isinstance(step, str):
                steps.append(step)
                continue
            number, spell = step
            if number >= len(constants):
                steps.append((words + number - len(constants), spell))
            elif number in place:
                steps.append((place[number], spell))
            else:
                word = constants[number] or ""
                steps.append(word if spell is None else spell(word))
    layout = Layout.of(tuple([row.row_form.shape for row in rows]))
    return _ChainForm(re.compile("".join(parts) + r"(?=\n)"), rows[0].header, layout, steps, targets, counts)


def _columns(row: ReadRow) -> Iterator[tuple[int, str, bool]]:
    """The patterns of a row's columns from the target on, each with its number, and whether it is a group."""
    _, source, destination, inside, outside, protocol, target = row.columns
    if target is not None:
        yield TARGET, (r"([^ \t\n]+)" if row.to_chain else re.escape(target)) + r"[ \t]+", row.to_chain
    yield 5, re.escape(protocol) + r"[ \t]+--[ \t]+", False
    if row.header.interfaces:
        yield 3, re.escape(inside) + r"[ \t]+", False
        yield 4, re.escape(outside) + r"[ \t]+", False
    yield 1, _HOSTS.get(row.signs[0], re.escape(source)) + r"[ \t]+", row.signs[0] != ""
    yield 2, _HOSTS.get(row.signs[1], re.escape(destination)), row.signs[1] != ""
