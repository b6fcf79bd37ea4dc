"""Taking the lines of ipvsadm, ipset and `ip addr` out of a text, which leaves the rest for the reader of rules.

The tools' outputs and rules may come in any order in one text. A line is recognised by itself, or by the output around
it: an element of a set, a detail of an interface.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from ipt_explain.errors import Diagnostic
from ipt_explain.model.dump import SourceText
from ipt_explain.model.node import NodeFacts, NodeSet, VirtualServers
from ipt_explain.model.node.interfaces import NodeAddresses
from ipt_explain.parsing.iptables.outputs import is_elision
from ipt_explain.parsing.ipvs.grammars import ip_addr_grammar, ipset_grammar, ipvsadm_grammar
from ipt_explain.parsing.ipvs.interfaces import AddressReader
from ipt_explain.parsing.ipvs.numbers import with_port_numbers
from ipt_explain.parsing.ipvs.parts import is_part
from ipt_explain.parsing.ipvs.refusals import diagnostic_of
from ipt_explain.parsing.ipvs.runs import Runs
from ipt_explain.parsing.ipvs.servers import ServerReader
from ipt_explain.parsing.ipvs.sets import SetReader
from ipt_explain.parsing.ipvs.signs import Tool, first_line, tool_of
from ipt_explain.parsing.line_forms import LineForm, LineForms, ReadLine, Refusal
from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import Record

_MAX_DIAGNOSTICS = 20
# A line of an iptables dump, which ends the members of a set that was cut off.
_MEMBER = lazy_pattern(r"[ \t]*(?=\S{0,99}[\d:.])\S+[ \t]*\Z")
# Fences, and words without a digit, colon or dot in the first, which elements have unless they are names of sets.
_PROSE = lazy_pattern(r"[ \t]*(?:[`~]|\d{1,3}[.)] |(?!\S{0,999}[\d:.])\S)")
_END = lazy_pattern(r"\s*\Z")
_OF_A_DUMP = re.compile(r"[*#\[]|:[^:]|-[A-Za-z] |COMMIT\b")


class TakenFacts(Record):
    """The facts taken out of a text.

    `rest` is the text with empty lines instead of those taken, or the text itself if none were. `diagnostics` are for
    the first unreadable lines, `refused` counts them all.
    """

    rest: str
    facts: NodeFacts
    diagnostics: tuple[Diagnostic, ...]
    refused: int
    warnings: tuple[str, ...]


def take_out_facts(source: SourceText, position: int) -> TakenFacts | None:
    """The facts in a text, at or after the line at `position`; None if there are none."""
    start = first_line(source.text, position)
    return None if start is None else _TakingOut(source).run(start)


class _TakingOut:
    def __init__(self, source: SourceText) -> None:
        self._source = source
        self._text = source.text
        self._servers = ServerReader()
        self._sets = SetReader()
        self._addresses = AddressReader()
        self._forms: dict[tuple[Tool, str], LineForms] = {}
        self._runs: dict[Tool, Runs] = {}
        self._diagnostics: list[Diagnostic] = []
        self._refused = 0
        self._incomplete: set[Tool] = set()
        self._tools: set[Tool] = set()
        self._end_of_line = 0
        self._half: int | None = None

    def run(self, start: int | None) -> TakenFacts:
        text = self._text
        kept: list[str] = []
        position, number = 0, 1
        while start is not None:
            kept.append(text[position:start])
            number += text.count("\n", position, start)
            self._tools.clear()
            before = position
            position, taken = self._block(start, number)
            if is_part(text, before, start, position, Tool.IPVSADM in self._tools):
                self._incomplete |= self._tools
                self._sets.cut_short()
            kept.append("\n" * taken)
            number += taken
            self._end()
            start = first_line(text, position)
        kept.append(text[position:])
        return TakenFacts("".join(kept), self._facts(), tuple(self._diagnostics), self._refused, self._warnings())

    def _block(self, position: int, number: int) -> tuple[int, int]:
        """Read consecutive lines of the tools from `position` on. Returns where they end, and the line number there."""
        text, length = self._text, len(self._text)
        first = number
        while position < length:
            end = text.find("\n", position)
            end = length if end < 0 else end
            line = text[position:end]
            if line.strip(" \t"):
                tool, start = self._whose(line, position)
                if tool is None:
                    break
                self._end_of_line = end
                self._read(tool, start, line, number)
                position, number = self._read_run(tool, start, end + 1, number + 1)
                continue
            self._sets.pause()
            self._addresses.end()
            position, number = end + 1, number + 1
        return min(position, length), number - first

    def _read_run(self, tool: Tool, start: str, position: int, number: int) -> tuple[int, int]:
        """Read on while lines are alike. Returns where that ends, and the line number there."""
        if start != "line" or (tool is Tool.IP_ADDR and (self._sets.is_open or not self._addresses.awaits_detail)):
            return position, number
        with suppress(ValueError):  # `_read` reports it
            for form, rows, end in self._runs[tool].read(self._text, position):
                if len(rows) > 1 and self._take_together(tool, form, rows, number):
                    position, number = end, number + len(rows)
                    continue
                for words in rows:
                    self._take(tool, ReadLine(form, words), number)
                    position, number = self._text.index("\n", position) + 1, number + 1
        return position, number

    def _take_together(self, tool: Tool, form: LineForm, rows: Sequence[tuple[str, ...]], number: int) -> bool:
        """Take lines about one set or virtual server. Returns whether that was possible: none is invalid."""
        if tool is Tool.IPSET:
            self._sets.take_added(form, rows, number)
            return True
        try:
            self._servers.take_saved(form, rows, number)
        except ValueError:
            return False
        return True

    def _whose(self, line: str, position: int) -> tuple[Tool | None, str]:
        """The tool that printed a line, and the start symbol for its grammar."""
        tool = tool_of(self._text, position)
        if tool is not None:
            return tool, "line"
        if not _OF_A_DUMP.match(line):
            if self._sets.awaits_member and (self._sets.has_sets or not _PROSE.match(line)):
                return Tool.IPSET, "member"
            if self._sets.takes_member and _MEMBER.match(line):
                return Tool.IPSET, "member"
            if self._sets.awaits_header:
                return Tool.IPSET, "line"
        if line.startswith("add ") and self._sets.holds(line.split(" ", 2)[1]):
            return Tool.IPSET, "line"
        if self._addresses.awaits_detail and line[0] in " \t" and not is_elision(line):
            return Tool.IP_ADDR, "line"
        return None, "line"

    def _read(self, tool: Tool, start: str, line: str, number: int) -> None:
        goes_on = tool in self._tools
        self._tools.add(tool)
        forms = self._forms.get((tool, start))
        if forms is None:
            forms = self._forms[tool, start] = LineForms(_GRAMMARS[tool](), start)
            if start == "line":
                self._runs[tool] = Runs(forms)
        try:
            self._take(tool, self._in_numbers(forms, line), number)
        except (Refusal, ValueError) as error:
            self._incomplete.add(tool)
            self._sets.skip_member()
            if goes_on and _END.match(self._text, self._end_of_line):
                self._half = number
                return
            self._refused += 1
            if len(self._diagnostics) < _MAX_DIAGNOSTICS:
                self._diagnostics.append(diagnostic_of(error, tool, self._source, number, line))

    def _in_numbers(self, forms: LineForms, line: str) -> ReadLine:
        """A line's words; names of ports become numbers if that makes it readable."""
        try:
            return forms.read(line)
        except Refusal:
            numbered = with_port_numbers(line)
            if numbered == line:
                raise
            return forms.read(numbered)

    def _take(self, tool: Tool, line: ReadLine, number: int) -> None:
        if tool is Tool.IPSET:
            self._sets.take(line, number)
        elif tool is Tool.IPVSADM:
            self._servers.take(line, number)
        else:
            self._addresses.take(line, number)

    def _end(self) -> None:
        self._servers.end()
        self._sets.end()
        self._addresses.end()

    def _facts(self) -> NodeFacts:
        name = self._source.name
        servers = None
        if self._servers.seen:
            complete = Tool.IPVSADM not in self._incomplete and self._servers.whole
            servers = VirtualServers(name, self._servers.servers(), complete)
        addresses = None
        if self._addresses.seen:
            cut = Tool.IP_ADDR in self._incomplete
            addresses = NodeAddresses(name, tuple(self._addresses.interfaces), self._addresses.addresses, cut)
        return NodeFacts(servers, {each.name: NodeSet(name, each) for each in self._sets.sets()}, addresses)

    def _warnings(self) -> tuple[str, ...]:
        name = self._source.name
        found = [f"{name}:{self._half}: the text ends inside this line, which was left out"] if self._half else []
        found += [
            f"{name}:{cut.line}: {missing:,} of the elements of set {cut.name} are not shown: is the text cut off?"
            for cut, missing in self._sets.cut()
        ]
        if self._servers.orphans:
            found.append(f"{name}: real servers above the first virtual server were left out: is the text cut off?")
        if self._servers.connections:
            found.append(f"{name}: connections of IPVS (`ipvsadm -Lc`) were left out; they say nothing about new ones")
        return tuple(found)


_GRAMMARS = {Tool.IPVSADM: ipvsadm_grammar, Tool.IPSET: ipset_grammar, Tool.IP_ADDR: ip_addr_grammar}
