"""Converting a row of a listing to a rule.

The grammar reads the first row of each form, which yields a pattern and a shape to read later ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ipt_explain.model import Command, Counters, Hidden, Match, Option, Rule, Shape, Target, TargetKind
from ipt_explain.parsing.iptables.parts import intern_shape, printed_form
from ipt_explain.parsing.iptables.rules.vocabulary import vocabulary
from ipt_explain.parsing.listings import values
from ipt_explain.parsing.listings.columns import Header, count
from ipt_explain.parsing.listings.details import UNREAD, Details, read_details
from ipt_explain.parsing.listings.options import SavedOption, Word
from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import NamedTuple, Record

_NOT_VALUES = re.compile(r"/\*.*?\*/|[^ :=]*\d[^ ]*")
_REMARK = lazy_pattern(r"(?:(?<=[^ \t])[ \t]{1,80}|\A)(?:[←⟵→]|#[ \t]|<[-=]+[ \t]|//[ \t])[^*]*\Z")
_LONGEST = 8192
"""Comments have at most 255 bytes and rules few words, so no row is this long."""

_MOST_FORMS = 4096
_MOST_FORMS_OF_SKELETON = 8

_ANY = frozenset(("0.0.0.0/0", "::/0", "anywhere"))
_NO_HIDDEN: frozenset[Hidden] = frozenset()

_Spell = Callable[[str], str]
_Signature = tuple[str | None, str, str, str, str, str, str]
"""The target if known, "" for a chain, None for no target; then "", "=" or "!" for source, destination, in, out,
protocol and fragments, by whether the rule has them."""


class _DetailsForm(Record):
    """Details of one form: the pattern of their text, and the meaning of its values."""

    pattern: re.Pattern[str]
    details: Details
    groups: tuple[int, ...]
    """The numbers of the words that vary between rows, in the order of the pattern's groups."""


class _RowForm(Record):
    """A shape, and how to get its values from columns and details: by place and spelling, or as constants."""

    shape: Shape
    steps: tuple[tuple[int, _Spell | None] | str, ...]


class ReadRow(NamedTuple):
    """What a row was read as. `signs` are those of source and destination; `columns` begin with the chain and end with
    the target, which is `to_chain` or known. `is_plain`: it has nothing that other rows of its form may lack."""

    form: _DetailsForm
    row_form: _RowForm
    header: Header
    signs: tuple[str, str]
    columns: tuple[str, str, str, str, str, str, str | None]
    to_chain: bool
    is_plain: bool


TARGET = 6
"""The number of the target among the columns."""


class RowReader:
    """Reads the rows of listings. `latest` is what the last one was read as."""

    latest: ReadRow

    def __init__(self) -> None:
        self._details: dict[tuple[str | None, str], list[_DetailsForm]] = {}
        self._rows: dict[tuple[int, _Signature, bool], _RowForm] = {}
        self._before: tuple[str | None, _DetailsForm | None] = (None, None)
        self.targets = vocabulary().targets
        self.unread = 0

    def read(self, row: str, header: Header, chain: str, line: int) -> Rule | None:
        """The rule in a row; None if the row does not fit the header's columns."""
        found = header.row.match(row) if len(row) <= _LONGEST else None
        if found is None:
            return None
        _, packets, size, target, protocol, fragments, inside, outside, source, destination, text = found.groups()
        text = text or ""
        known = target if target in self.targets and not text.startswith("[goto]") else None
        form, words = self._details_of(text, known)
        details = form.details
        signature: _Signature = (
            details.target if known is not None else ("" if target else None),
            _sign(source, source in _ANY),
            _sign(destination, destination in _ANY),
            _sign(inside, not inside or inside in ("*", "any")),
            _sign(outside, not outside or outside in ("*", "any")),
            _sign(protocol, protocol in ("0", "all", "ip")),
            {"-f": "=", "!f": "!"}.get(fragments or "", ""),
        )
        key = (id(form), signature, header.interfaces)
        row_form = self._rows.get(key)
        if row_form is None:
            row_form = self._rows[key] = _row_form(form, signature, header.interfaces)
        if details.unread:
            self.unread += 1
        own = chain, source, destination, inside, outside, protocol, target
        columns = (*own, *words)
        plain = fragments == "--" and not details.unread
        to_chain = target is not None and known is None
        self.latest = ReadRow(form, row_form, header, signature[1:3], own, to_chain, plain)
        made = tuple(
            [
                step if isinstance(step, str) else columns[step[0]] if step[1] is None else step[1](columns[step[0]])
                for step in row_form.steps
            ]
        )
        counters = Counters(count(packets), count(size)) if packets else None
        return Rule(row_form.shape, made, line, counters)

    def _details_of(self, text: str, target: str | None) -> tuple[_DetailsForm, tuple[str, ...]]:
        """The form of details, usually that of the previous row, and their values."""
        before, form = self._before
        if form is not None and before == target:
            match = form.pattern.match(text)
            if match is not None:
                return form, match.groups()
        form, words = self._form_of(text, target)
        if form.details.unread:
            bare = _REMARK.sub("", text)
            if bare != text:
                form, words = self._form_of(bare, target)
        self._before = target, form
        return form, words

    def _form_of(self, text: str, target: str | None) -> tuple[_DetailsForm, tuple[str, ...]]:
        key = (target, _NOT_VALUES.sub("#", text))
        forms = self._details.get(key)
        if forms is None:
            if len(self._details) >= _MOST_FORMS:
                self._details.clear()
                self._rows.clear()
            forms = self._details[key] = []
        for form in forms:
            match = form.pattern.match(text)
            if match is not None:
                return form, match.groups()
        form = _details_form(text, read_details(text, target))
        if len(forms) >= _MOST_FORMS_OF_SKELETON:
            self._forget(forms.pop(0))
        forms.append(form)
        match = form.pattern.match(text)
        assert match is not None
        return form, match.groups()

    def _forget(self, form: _DetailsForm) -> None:
        for key in [key for key in self._rows if key[0] == id(form)]:
            del self._rows[key]


def _sign(word: str, absent: bool) -> str:
    return "" if absent else "!" if word[0] == "!" else "="


_COLUMNS = 7
_CORE = (("-s", 1, values.address), ("-d", 2, values.address), ("-i", 3, values.same), ("-o", 4, values.same),
         ("-p", 5, values.protocol))  # fmt: skip


def _details_form(text: str, details: Details) -> _DetailsForm:
    """The pattern of all details that differ only in values."""
    options = [option for match in details.matches for option in match.options] + details.target_options
    free = {word.token for option in options for word in option.words if isinstance(word, Word)}
    parts, groups, position = [], [], 0
    for number, word in sorted(enumerate(details.words), key=lambda each: each[1].start):
        parts.append(re.escape(text[position : word.start]))
        if number in free and not details.unread:
            parts.append(f"({word.pattern})")
            groups.append(number)
        elif number in free:
            parts.append(f"({re.escape(text[word.start : word.end])})")
            groups.append(number)
        else:
            parts.append(re.escape(text[word.start : word.end]))
        position = word.end
    parts.append(re.escape(text[position:]) + r"\Z")
    return _DetailsForm(re.compile("".join(parts), re.DOTALL), details, tuple(groups))


def _row_form(form: _DetailsForm, signature: _Signature, interfaces: bool) -> _RowForm:
    target_name, *core_signs, fragments = signature
    details = form.details
    steps: list[tuple[int, _Spell] | str] = [(0, values.same)]
    core: list[Option] = []
    for (name, column, spell), sign in zip(_CORE, core_signs):
        if sign:
            core.append(Option(name, sign == "!", (len(steps),)))
            steps.append((column, _after_sign(spell) if sign == "!" else spell))
    if fragments:
        core.append(Option("-f", fragments == "!", ()))
    matches = tuple(
        Match(match.module, tuple(_option(option, form, steps) for option in match.options))
        for match in details.matches
    )
    target = None
    if target_name is not None:
        slot = None
        if not target_name:
            slot = len(steps)
            steps.append((TARGET, values.same))
        options = tuple(_option(option, form, steps) for option in details.target_options)
        target = Target(TargetKind.GOTO if details.goto else TargetKind.JUMP, target_name or None, slot, options)
    hidden = set() if interfaces else {Hidden.INTERFACES}
    if any(match.module == UNREAD for match in details.matches):
        hidden.add(Hidden.CONDITIONS)
        if target_name:
            hidden.add(Hidden.TARGET)
    core_options = tuple(core)
    shape = intern_shape(
        Command.APPEND,
        None,
        core_options,
        matches,
        target,
        lambda: printed_form(Command.APPEND, None, core_options, matches, target),
        frozenset(hidden) if hidden else _NO_HIDDEN,
    )
    plain = (step if isinstance(step, str) or step[1] is not values.same else (step[0], None) for step in steps)
    return _RowForm(shape, tuple(plain))


def _after_sign(spell: _Spell) -> _Spell:
    return lambda word: spell(word[1:])


def _option(option: SavedOption, form: _DetailsForm, steps: list[tuple[int, _Spell] | str]) -> Option:
    slots = []
    for word in option.words:
        slots.append(len(steps))
        steps.append(word if isinstance(word, str) else (_COLUMNS + form.groups.index(word.token), word.spell))
    return Option(option.name, option.negated, tuple(slots))
