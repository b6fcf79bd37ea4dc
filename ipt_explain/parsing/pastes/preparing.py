"""Preparing a paste for the reader of rules: the same lines, with everything but rules left out and reported."""

from __future__ import annotations

import re

from ipt_explain.errors import RuleSyntaxError
from ipt_explain.model import Chain, Command, Extent, Form, Rule
from ipt_explain.model.dump import SourceText
from ipt_explain.parsing.iptables.assembly import TableBuilder
from ipt_explain.parsing.iptables.diagnosis import safe_normalisation
from ipt_explain.parsing.iptables.diagnosis.prefixes import RULE_START
from ipt_explain.parsing.iptables.diagnosis.reading import FENCE, MAIL_QUOTE
from ipt_explain.parsing.iptables.outputs import BLOCK_ENDS, JOINED, is_elision
from ipt_explain.parsing.listings.columns import guess_header
from ipt_explain.parsing.pastes.around import is_around, is_name, is_number, is_row, is_table_name, quotes_rule
from ipt_explain.parsing.pastes.broken.reflow import reflowed
from ipt_explain.parsing.pastes.broken.wrapping import DUMP_LINE, OPENS_TABLE, Joiner, window_of
from ipt_explain.parsing.pastes.carriers.logs import is_element, is_of_json, unwrapped, without_prefix
from ipt_explain.parsing.pastes.carriers.quoting import is_fence, without_fence, without_quote_marks
from ipt_explain.parsing.pastes.commands import ToolCall
from ipt_explain.parsing.pastes.extents import Extents
from ipt_explain.parsing.pastes.notes import PasteNotes
from ipt_explain.parsing.pastes.scripts import (
    UnreadableCommand,
    changes_no_rule,
    changing_commands,
    continued,
    has_change,
    is_command,
    is_of_shell,
)
from ipt_explain.parsing.pastes.slips import hanging, may_have_remark, repaired, rules_on_line
from ipt_explain.records import Record

_WORTH_IT = re.compile(
    rf"^[^\n]{{0,200}}?(?:(?<![^\s>|:`\"*]){RULE_START}|ip6?tables[^\n]{{0,200}}?[ \"]-[AIDR][ \"])",
    re.MULTILINE,
)
_LEGACY = re.compile(r"(Warning: \S+ tables present, use \S+(?: to see them)?)")


class Prepared(Record):
    """A prepared text: `rest` has the same lines; `sections` have rules made by commands, `beside` those that follow
    another rule on its line; `incomplete` says that rules were left out."""

    rest: str
    incomplete: bool
    sections: tuple[TableBuilder, ...]
    beside: tuple[Rule, ...]
    warnings: tuple[str, ...]


def prepare(source: SourceText, last: int | None, mending: bool = False) -> Prepared | None:
    """The text with everything around its rules made readable or left out; None if it has nothing worth reading, or
    needs no changes. `last` is the index of its last line if output of other tools was taken out of it. `mending`: a
    rule could not be read, so remarks after rules are looked for in tables, too."""
    if last is None and not _WORTH_IT.search(source.text):
        return None
    dump = None if mending else without_prefix(source.text)
    if dump is not None:
        notes = PasteNotes()
        notes.unwrapped = dump[1]
        return Prepared(dump[0], False, (), (), tuple(notes.warnings(source.name, False)))
    preparing = _Preparing(source, last, mending)
    preparing.run()
    return preparing.prepared()


class _Preparing:
    def __init__(self, source: SourceText, last: int | None, mending: bool) -> None:
        self._last = last
        self._mending = mending
        self._name = source.name
        self._lines, quoted = without_quote_marks(source.text.split("\n"))
        # Taken before any line is changed: they show the width at which a terminal cut lines.
        self._lengths = [len(line) for line in self._lines]
        self._window = window_of(self._lengths)
        self._changed = quoted > 0
        self._joiner = Joiner()
        self._sections: dict[tuple[object, ...], TableBuilder] = {}
        self._beside: list[Rule] = []
        self._elements = False
        self._of_json: list[int] = []
        self._notes = PasteNotes()
        if quoted:
            self._notes.repairs[MAIL_QUOTE] = quoted
        for place, line in reflowed(self._lines).items():
            self._set(place, line or JOINED)
            if line:
                self._notes.joints.add(place + 1)
        self._in_table = False

    def run(self) -> None:
        """Process each line once."""
        lines = self._lines
        above = -1
        for place, line in enumerate(lines):
            if self._in_table and line.startswith("-A ") and "```" not in line and DUMP_LINE.match(line):
                above = place
                if self._mending and may_have_remark(line):
                    self._repair(place, line)
                continue
            if not line.strip(" \t"):
                above = -1
                continue
            if "```" in line and (bare := without_fence(line)) != line:
                line = bare
                self._set(place, bare)
                self._notes.repairs[FENCE] += 1
            if is_fence(line):
                self._in_table, above = False, -1
                continue
            if "\\" in line and not DUMP_LINE.match(line) and has_change(line):
                line = self._continued(place)
            if DUMP_LINE.match(line):
                if line[0] == "*":
                    self._in_table = self._in_table or OPENS_TABLE.match(line) is not None
                elif line.startswith(("COMMIT", "# Completed", *BLOCK_ENDS)):
                    self._in_table = False
                if line[0] != "#":
                    above = place
                if line[0] == "-" and not self._in_table:
                    self._repair(place, line)
                continue
            if not self._odd_line(place, line, above):
                above = place if DUMP_LINE.match(lines[place]) else -1

    def _goes_on(self, above: int) -> bool:
        """Whether a line of a table ends within quotes, so that the next one continues its comment."""
        return self._in_table and self._lines[above].count('"') % 2 == 1

    def _repair(self, place: int, line: str) -> None:
        """Repair a rule with a known slip."""
        rule = self._joiner.tried(line)
        if rule is not None:
            if rule.target is None:
                self._rejoin(place)
            return
        first, *others = rules_on_line(line)
        repair = self._readable(first)
        if repair is not None and all(map(self._joiner.reads, others)):
            self._set(place, repair[0])
            self._notes.repairs.update(repair[1])
            self._beside += (self._joiner.read(other, place + 1) for other in others)
        elif repair is None:
            self._rejoin(place)

    def _readable(self, text: str) -> tuple[str, list[str]] | None:
        """A rule repaired, or as it is, and what was repaired; None if it cannot be read."""
        return repaired(text, self._joiner.reads) or ((text, []) if self._joiner.reads(text) else None)

    def _join(self, place: int, text: str, last: int) -> None:
        """Put a text in place of a line and of those up to `last`."""
        self._set(place, text)
        for joined in range(place + 1, last + 1):
            self._set(joined, JOINED)
            self._notes.joints.add(joined)

    def _leave_out(self, place: int) -> None:
        self._notes.left_out.append(place + 1)
        self._set(place, "")

    def _rejoin(self, place: int) -> None:
        """Join a rule that was wrapped into three lines or more; two are joined as they come."""
        rejoined = self._joiner.rejoined(self._lines, place)
        if rejoined is not None and rejoined[1] > place + 1:
            self._join(place, *rejoined)

    def _hanging(self, place: int) -> bool:
        """Join a rule with the options below it, if they form one rule. Returns whether they do."""
        text, count = hanging(self._lines, place)
        repair = self._readable(text) if count else None
        if repair is None:
            return False
        self._notes.repairs.update(repair[1])
        self._join(place, repair[0], place + count)
        return True

    def _odd_line(self, place: int, line: str, above: int) -> bool:
        """Prepare one line. Returns whether it was joined to the line `above`."""
        if is_elision(line):
            return False
        legacy = _LEGACY.search(line)
        if legacy is not None:
            self._set(place, f"# {legacy[1]}")
            return True
        inner = None if self._in_table else unwrapped(line)
        if inner is not None and DUMP_LINE.match(inner):
            self._elements = self._elements or is_element(line)
            self._unwrap(place, inner)
            self._repair(place, inner)
            return False
        filled = self._lengths[place - 1] == self._window
        if above >= 0 and (filled or not self._goes_on(above)):
            joined = self._joiner.joined(self._lines[above], line, filled)
            if joined is not None:
                self._set(above, joined)
                self._set(place, JOINED)
                self._notes.joints.add(above + 1)
                return True
        if self._in_table or (line.lstrip(" \t").startswith("-A ") and self._hanging(place)):
            return False
        if inner is not None and is_command(inner):
            self._unwrap(place, inner)
            line = inner
        if self._is_read_as_script(place, line):
            return False
        if is_row(line) and guess_header(line) is not None:
            self._notes.rows.append(place + 1)
            self._set(place, "")
        elif is_of_json(line):
            self._of_json.append(place)
        elif self._is_around(place, line, above):
            self._leave_out(place)
        elif quotes_rule(line):
            self._notes.sentences.append(place + 1)
            self._set(place, "")
        elif place == self._last and safe_normalisation(line) is None:
            self._notes.half = place + 1
            self._set(place, "")
        return False

    def _is_around(self, place: int, line: str, above: int) -> bool:
        if safe_normalisation(line) is not None:
            return False
        if is_table_name(line):
            return not "".join(self._lines[place + 1 : place + 2]).lstrip().startswith("{")
        if is_number(line):  # of an item of a list, or of a line; one alone below a rule may be its end
            return above < 0 or is_number("".join(self._lines[place + 1 : place + 2]))
        return is_around(line) or (above < 0 and is_name(line))

    def _unwrap(self, place: int, inner: str) -> None:
        self._set(place, inner)
        self._notes.unwrapped += 1

    def _continued(self, place: int) -> str:
        """A command joined with its continuation lines, which are taken out."""
        line, count = continued(self._lines, place)
        for below in range(place + 1, place + 1 + count):
            self._set(below, "")
        return line

    def _is_read_as_script(self, place: int, line: str) -> bool:
        """Handle a line of a script: a command that changes rules or does not, or the shell's own. Returns whether it
        is one."""
        try:
            changes = changing_commands(line)
        except UnreadableCommand:
            self._notes.unreadable.append(place + 1)
            self._set(place, "")
            return True
        if changes:
            placed = [self._place(*change, place + 1) for change in changes]
            if all(placed):
                self._set(place, "")
            return True
        if changes_no_rule(line) or ((self._sections or self._notes.unreadable) and is_of_shell(line)):
            self._leave_out(place)
            return True
        return False

    def _set(self, place: int, line: str) -> None:
        self._lines[place] = line
        self._changed = True

    def _place(self, call: ToolCall, text: str, line: int) -> bool:
        """Put the rule made by a command into its table. Returns whether the command could be read."""
        try:
            rule = self._joiner.read(text, line)
        except RuleSyntaxError:
            return False
        assert call.table is not None
        key = (call.family, call.backend, call.table)
        section = self._sections.get(key)
        if section is None:
            section = self._sections[key] = TableBuilder(call.table, line, None)
            section.form = Form.FRAGMENT
            section.committed = True
            section.family, section.backend = call.family, call.backend
            section.shown = Extents(Extent.SOME, {}, Extent.SOME)
        if rule.shape.command is Command.APPEND:
            section.append(Chain.of(rule.chain, (rule,)))
        else:
            section.edit(rule)
        return True

    def prepared(self) -> Prepared | None:
        """The prepared text, if anything was changed."""
        for place in self._of_json if self._elements else ():
            self._leave_out(place)
        if not self._changed:
            return None
        return Prepared(
            "\n".join(self._lines),
            bool(self._notes.rows or self._notes.unreadable),
            tuple(self._sections.values()),
            tuple(self._beside),
            tuple(self._notes.warnings(self._name, bool(self._sections))),
        )
