"""Text to dump: the loop over lines. Rules go by their shape's pattern, all else by its first character."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipt_explain.collector import collector_paused
from ipt_explain.model import Counters, Dump, Form
from ipt_explain.model.node.facts import NOTHING_KNOWN
from ipt_explain.parsing.cleaning import clean
from ipt_explain.parsing.iptables import headers
from ipt_explain.parsing.iptables.assembly import BUILT_IN, TableBuilder
from ipt_explain.parsing.iptables.gathering import Gathering
from ipt_explain.parsing.iptables.headless import Headless
from ipt_explain.parsing.iptables.holes import Holes
from ipt_explain.parsing.iptables.logical import LogicalLine, readings
from ipt_explain.parsing.iptables.misfits import Misfits
from ipt_explain.parsing.iptables.rule_reader import RuleReader
from ipt_explain.parsing.iptables.rules.rule_errors import RuleSyntaxError
from ipt_explain.parsing.ipvs.entry import take_out
from ipt_explain.parsing.listings.entry import take_out_listings
from ipt_explain.parsing.nft.entry import take_out_nft
from ipt_explain.parsing.pastes.entry import prepare
from ipt_explain.patterns import lazy_pattern
from ipt_explain.progress import Stage, begin
from ipt_explain.source import SourceText

if TYPE_CHECKING:
    from ipt_explain.parsing.pastes.commands import Command

_COUNT = "[0-9]{1,20}"
_CHAIN = lazy_pattern(
    rf":([^ \t\n]+)[ \t]+(ACCEPT|DROP|QUEUE|RETURN|-)(?:[ \t]+\[({_COUNT}):({_COUNT})\])?[ \t]*(?:\n|\Z)"
)
_PLAIN_CHAIN = lazy_pattern(r":([^ \t\n]+) - \[0:0\]\n")
_PLAIN_CHAINS = lazy_pattern(r"(?::[^ \t\n]+ - \[0:0\]\n){1,1000}")
_HOOK = lazy_pattern(r":((?:PRE|POST)ROUTING|INPUT|FORWARD|OUTPUT)[ \t]")
_ODD_CHAIN = lazy_pattern(r":([^ \t\n]+)[ \t]+(ACCEPT|DROP|QUEUE|RETURN|-)(?:[ \t]+\[[^\]\n]*\])?[ \t]*\Z")
_LISTED = lazy_pattern(
    rf"-([PNXF])[ \t]+([^ \t\n]+)(?:[ \t]+(ACCEPT|DROP))?(?:[ \t]+-c[ \t]+({_COUNT})[ \t]+({_COUNT}))?[ \t]*\Z"
)
_RULE = lazy_pattern(rf"(?:\[{_COUNT}:{_COUNT}\] *)?(?:-[AIDR]|--append|--insert|--delete|--replace)[ \t]")
_LONG = 1 << 16
"""Shorter texts than this are read in no time; so are those that a stage of other work reads."""
_NARROWEST = 60
"""No window of fewer columns cuts lines off."""
_ELISION = lazy_pattern(r"[ \t]*(?:-{2,}|\.{3,}|…|\[\.\.\.\]|\(\.\.\.\))[ \t]*\Z")


def read_dump(text: str, source: str = "-", lenient: bool = False) -> Dump:
    """Reads what iptables-save (or -S, or restore input, or a fragment of either) printed.

    Raises DumpSyntaxError for text that is none of these; with `lenient`, skips such lines and says so in the
    dump's warnings. Cost and memory grow linearly with the text.
    """
    with collector_paused():
        reader = _Reader(text, source, lenient)
        dump = reader.read()
        if not reader.misfits:
            return dump
        cut_off = reader.cut_off()
        if cut_off:
            narrow = _Reader(text, source, lenient, cut_off)
            narrowed = narrow.read()
            if narrowed.rulesets and not narrow.misfits:
                return narrowed
        reader.refuse()
        return dump


class _Reader:
    def __init__(self, text: str, source: str, lenient: bool, cut_off: Sequence[int] = ()) -> None:
        cleaned = clean(text, source)
        self._text = cleaned.readable
        self._source = SourceText(source, cleaned.text)
        self._lenient = lenient
        self._read_nothing = False
        self._cut_off = cut_off
        self._warnings = list(cleaned.warnings)
        if cut_off:
            from ipt_explain.parsing.pastes import windows

            self._text = windows.without_lines(self._text, cut_off)
            self._warnings.append(windows.warning(source, cleaned.text, cut_off))
        self._sections: list[TableBuilder] = []
        self._generator: headers.Generator | None = None
        self._listed_by: Command | None = None  # the command above a listing, where there is one
        self._unreadable: list[tuple[headers.Generator | None, str]] = []
        self._misfits = Misfits(self._source)
        self._holes = Holes()
        self._refused = (*cleaned.refused, *cut_off)
        for line in cleaned.refused:
            self._misfits.refuse(self._source.line(line), line)
        self._nft = take_out_nft(SourceText(source, self._text))
        if self._nft is not None:
            self._text = self._nft.rest
            self._misfits.add(self._nft.diagnostics, len(self._nft.diagnostics))
        self._taken = take_out(SourceText(source, self._text))
        if self._taken is not None:
            self._text = self._taken.rest
            self._misfits.add(self._taken.diagnostics, self._taken.refused)
        self._elided = False
        listings = take_out_listings(SourceText(source, self._text))
        if listings is not None:
            self._text = listings.rest
            self._sections += listings.sections
            self._warnings += listings.warnings
        self._leave_out_half_line()  # or it would be taken for the rest of the line above
        prepared = prepare(SourceText(source, self._text), listings is not None)
        if prepared is not None:
            self._text = prepared.rest
            self._sections += prepared.sections
            self._elided = prepared.incomplete
            self._warnings += prepared.warnings
        self._leave_out_half_line()
        self._rules = RuleReader(self._text)
        self._headless = Headless(self._source.name)

    @property
    def misfits(self) -> int:
        """How many lines could not be read."""
        return self._misfits.count

    def cut_off(self) -> tuple[int, ...]:
        """The lines that a window may have cut off, where some cannot be read."""
        from ipt_explain.parsing.pastes.windows import lines_cut_off

        return lines_cut_off(self._source.text)

    def refuse(self) -> None:
        """Raises DumpSyntaxError for what could not be read, unless lenient."""
        if not self._lenient:
            raise self._misfits.error(self._read_nothing)

    def _leave_out_half_line(self) -> None:
        """iptables-save ends its last line; what ends the text in an open table may be half of one."""
        start = self._text.rfind("\n") + 1
        if self._text[start : start + 1] not in ("-", "[", ":"):
            return
        opened = max(self._text.rfind("\n*", 0, start), 0 if self._text.startswith("*") else -1)
        if opened <= self._text.rfind("\nCOMMIT", 0, start):
            return
        line = self._text.count("\n") + 1
        self._warnings.append(f"{self._source.name}:{line}: the text ends inside this line, which was left out")
        self._text = self._text[:start] + "#"

    def read(self) -> Dump:
        text, length = self._text, len(self._text)
        position, line = 0, 1
        stage = begin("reading", length) if length > _LONG else Stage("reading", length)
        while position < length:
            stage.done = position
            first = text[position]
            if first == "-" or first == "[":
                position, line = self._rules.read_on(position, line, stage)
                if position < length:
                    position, line = self._read_odd_line(position, line)
            elif first == ":" and self._rules.table is not None:
                position, line = self._read_chains(position, line, self._rules.table)
            else:
                end = text.find("\n", position)
                end = length if end < 0 else end
                self._read_line(text[position:end], line)
                position, line = end + 1, line + 1
        return self._finish()

    def _read_odd_line(self, position: int, line: int) -> tuple[int, int]:
        """One line that begins like a rule and has none of the shapes that were likely."""
        text = self._text
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        if not _RULE.match(text, position, end):
            self._read_line(text[position:end], line)
            return end + 1, line + 1
        refused: tuple[LogicalLine, RuleSyntaxError] | None = None
        for logical in readings(text, position, end):
            try:
                self._rules.read(logical, line)
            except RuleSyntaxError as error:
                if refused is None or refused[0].end != end:
                    refused = (logical, error)
                continue
            if logical.unterminated:
                self._warnings.append(
                    f"{self._source.name}:{line}: a quote is never closed; the rest of the line is taken into the value"
                )
            return logical.end + 1, line + text.count("\n", position, logical.end) + 1
        assert refused is not None
        logical, reason = refused
        if not self._read_meant(text[position:end], line) and not self._is_cut(logical, line, reason):
            self._misfits.refuse_rule(logical, line, reason)
            self._holes.note(logical.text, self._rules.table)
        if logical.joints:
            return logical.end + 1, line + text.count("\n", position, logical.end) + 1
        return end + 1, line + 1

    def _is_cut(self, logical: LogicalLine, line: int, reason: RuleSyntaxError) -> bool:
        """Whether the window of a pager or an editor cut a line off, among rules outside of tables."""
        text = logical.text.rstrip(" \t")
        last = len(text) - len(text.rsplit(" ", 1)[-1])
        if self._rules.table is not None or not self._rules.loose or len(text) < _NARROWEST or reason.column <= last:
            return False
        self._warnings.append(f"{self._source.name}:{line}: this line is cut off at its end, and was left out")
        self._elided = True
        return True

    def _read_chains(self, position: int, line: int, table: TableBuilder) -> tuple[int, int]:
        self._rules.end_run()
        text = self._text
        found = _HOOK.match(text, position)
        if found is not None and table.begins_anew(found[1]):
            table.ended = True
            self._rules.table = None
            return position, line
        plain = _PLAIN_CHAINS.match(text, position)
        if plain is not None:
            names = _PLAIN_CHAIN.findall(text, position, plain.end())
            table.declare_plainly(names, line)
            self._rules.know(names)
            return plain.end(), line + len(names)
        match = _CHAIN.match(text, position)
        if match is None:
            end = text.find("\n", position)
            end = len(text) if end < 0 else end
            self._read_line(text[position:end], line)
            return end + 1, line + 1
        name, policy, packets, size = match.groups()
        counters = None if packets is None or packets == size == "0" else Counters(int(packets), int(size))
        table.declare(name, None if policy == "-" else policy, counters, line)
        return match.end(), line + 1

    def _read_line(self, content: str, line: int) -> None:
        """Any line but a rule. One that no dump has is read without what surrounds it, or refused."""
        self._rules.end_run()
        if not self._read_plain(content, line) and not self._read_meant(content, line):
            self._misfits.refuse(content, line)
            self._holes.note(content, self._rules.table)

    def _read_meant(self, content: str, line: int) -> bool:
        """A line that could not be read, without what safely can be ignored around it. Returns whether it needs no
        more.
        """
        found = self._misfits.meant(content)
        if found is None:
            return False
        meant, ignored = found
        if _RULE.match(meant):
            try:
                self._rules.read(LogicalLine.of(meant), line)
            except RuleSyntaxError as error:
                if meant not in content:
                    return False
                self._misfits.refuse_rule(LogicalLine.of(meant), line, error, content.index(meant))
                self._holes.note(meant, self._rules.table)
                return True
        elif not self._read_plain(meant, line):
            return False
        self._misfits.note(ignored)
        return True

    def _read_plain(self, content: str, line: int) -> bool:
        """Comment, table, chain, COMMIT, `iptables -S` declaration, elision. Returns whether the line was one of
        them.
        """
        if content.startswith("#"):
            self._read_comment(content)
        elif content.startswith("*"):
            return self._open_table(content[1:].rstrip(" \t"), line)
        elif content.startswith(":"):
            return self._read_odd_chain(content, line)
        elif content.rstrip(" \t") == "COMMIT":
            if self._rules.table is None:
                return self._headless.close(len(self._rules.loose))
            self._rules.table.committed = True
            self._rules.table = None
        elif not content.strip(" \t"):
            pass
        elif _ELISION.match(content):
            self._elided = True
        else:
            return self._read_listed(content, line)
        return True

    def _read_comment(self, content: str) -> None:
        generator = headers.read_generator(content)
        if generator is not None:
            self._generator = generator
            self._rules.table = None
            self._headless.begin_table(len(self._rules.loose))
            return
        if headers.ends_table(content):
            if self._rules.table is not None:
                self._rules.table.ended = True
            else:
                self._headless.close(len(self._rules.loose))
            self._rules.table = None
            return
        table = headers.read_unreadable_table(content)
        if table is not None:
            self._unreadable.append((self._generator, table))
        warning = headers.read_legacy_warning(content)
        if warning is not None:
            self._warnings.append(warning)
        if "tables" in content and " -" in content:
            self._read_heading(content)

    def _read_heading(self, content: str) -> None:
        """`# ip6tables -t nat -S` above its output, which names neither table nor family."""
        from ipt_explain.parsing.pastes.commands import read_command

        command = read_command(content)
        if command is not None and command.action == "S" and command.chain is None and command.table in BUILT_IN:
            self._listed_by = command
            self._rules.table = None

    def _open_table(self, name: str, line: int) -> bool:
        if name not in BUILT_IN:
            # What follows belongs to it: read, so that it is not reported too, and left out.
            if name and " " not in name:
                self._rules.table = TableBuilder(name, line, None)
                self._holes.nameless = True
            return False
        self._headless.begin_table(len(self._rules.loose))
        self._rules.table = TableBuilder(name, line, self._generator)
        self._sections.append(self._rules.table)
        return True

    def _read_odd_chain(self, content: str, line: int) -> bool:
        """A chain outside of a table, as `iptables-save | grep` leaves it, or with counters that are no numbers."""
        match = _ODD_CHAIN.match(content)
        if match is None:
            return False
        if self._rules.table is None:
            self._headless.declare(line)
        else:
            name, policy = match.groups()
            self._rules.table.declare(name, None if policy == "-" else policy, None, line)
            if not _CHAIN.match(content):
                self._misfits.note("counters that are no numbers were taken as absent, as iptables-restore does")
        return True

    def _read_listed(self, content: str, line: int) -> bool:
        """`-P`, `-N` (iptables -S) and `-X`, `-F` (restore input). Returns whether the line was one of them."""
        match = _LISTED.match(content)
        if match is None:
            return False
        command, chain, policy, packets, size = match.groups()
        if command in "XF":
            if self._rules.table is None:
                return bool(self._rules.loose)
            (self._rules.table.delete if command == "X" else self._rules.table.flush)(chain)
            return True
        if (command == "P") != (policy is not None):
            return False
        table = self._rules.table
        if table is None or (table.name is None and (table.has_rules or table.declares(chain))):
            # A listing declares all chains before its rules, so another declaration begins the next listing.
            table = self._open_listing(line)
        counters = Counters(int(packets), int(size)) if packets is not None else None
        table.declare(chain, policy, counters, line)
        return True

    def _open_listing(self, line: int) -> TableBuilder:
        command, self._listed_by = self._listed_by, None
        table = self._rules.table = TableBuilder(None if command is None else command.table, line, None)
        if command is not None:
            table.family, table.backend = command.family, command.backend
        table.form = Form.LISTING
        table.committed = True
        self._sections.append(table)
        return table

    def _finish(self) -> Dump:
        self._rules.end_run()
        taken, nft = self._taken, self._nft
        read_nothing = not self._sections and not self._rules.loose and taken is None and nft is None
        if self._misfits.count and not self._lenient:
            self._read_nothing = read_nothing
            return Dump(self._source.name, (), self._source, ())
        if read_nothing and not self._unreadable and not self._lenient and not self._cut_off:
            self._misfits.require_some_dump()
        self._warnings += self._misfits.warnings
        self._holes.note_lines(self._refused, self._source, self._sections)
        self._headless.begin_table(len(self._rules.loose))
        self._warnings += self._headless.warnings()
        if self._rules.hidden is not None:
            self._warnings.append(
                f"{self._source.name}:{self._rules.hidden}: an iptables older than the one that wrote the rules could"
                " not print all of this one, nor maybe of others below; nothing is built on it: save with the iptables"
                " of kube-proxy's image, or upgrade the node's"
            )
        incomplete = self._elided or self._holes.everywhere(self._sections)
        gathering = Gathering(self._source.name, incomplete, self._headless, self._holes.outside)
        gathering.add_sections(sorted(self._sections, key=lambda section: section.line))
        gathering.add_loose(self._rules.loose, SourceText(self._source.name, self._text))
        for generator, table in self._unreadable:
            gathering.add_unreadable(generator, table)
        self._warnings += gathering.warnings
        facts = NOTHING_KNOWN
        if taken is not None:
            facts = taken.facts
            self._warnings += taken.warnings
        if nft is not None:
            self._warnings += nft.warnings
        tables = None if nft is None else nft.ruleset
        return Dump(self._source.name, gathering.rulesets(), self._source, tuple(self._warnings), facts, tables)
