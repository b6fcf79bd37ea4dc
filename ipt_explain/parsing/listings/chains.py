"""Taking listings out of a text, chain by chain, which leaves the rest for the reader of rules.

A listing of a whole table has its built-in chains first, in the order of their hooks, then the others by name. A chain
ends at a blank line, or where another begins. If the command was pasted above the listing, it names the table and the
family.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ipt_explain.model import Chain, Counters, Extent, Family, Form, Rule
from ipt_explain.model.dump import SourceText
from ipt_explain.model.kernel import BUILT_IN_CHAINS, HOOKS
from ipt_explain.parsing.iptables.assembly import TableBuilder
from ipt_explain.parsing.iptables.outputs import JOINED
from ipt_explain.parsing.listings.chain_forms import ChainForms
from ipt_explain.parsing.listings.columns import CHAIN_LINE, Header, count, guess_header, read_header
from ipt_explain.parsing.listings.reflow import reflowed
from ipt_explain.parsing.listings.rules import ReadRow, RowReader
from ipt_explain.parsing.pastes.commands import ToolCall, is_filtered, read_command
from ipt_explain.parsing.pastes.extents import Extents
from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import Record, field

_CHAIN = re.compile(r"^[ \t>]{0,40}Chain [^\n(]{1,300} \(", re.MULTILINE)
_DASH = lazy_pattern(r"(?<=[ \t])[–—](?=[ \t])")
"""What programs for writing make of `--`."""
_ADDRESS = re.compile(r"[ \t]!?(?:([0-9A-Fa-f]*:[0-9A-Fa-f:.]*)|\d+\.\d+\.\d+\.\d+)(?:/[\w:.]+)?(?=[ \t]|\Z)")


class _Block(Record, frozen=False):
    """One chain of a listing."""

    name: str
    policy: str | None
    counters: Counters | None
    line: int
    header: Header | None = None
    rules: list[Rule] = field(default_factory=list)
    chain: Chain | None = None
    family: Family | None = None
    ended: bool = False


class TakenListings(Record):
    """Listings taken out of a text; `rest` has empty lines in their place."""

    rest: str
    sections: tuple[TableBuilder, ...]
    warnings: tuple[str, ...]


def take_out_listings(source: SourceText, start: int) -> TakenListings | None:
    """The listings of a text from `start` on; None if there are none."""
    return _TakingOut(source, start).run(start)


class _TakingOut:
    def __init__(self, source: SourceText, start: int) -> None:
        self._name = source.name
        self._text = reflowed(source.text, start)
        self._rows = RowReader()
        self._forms = ChainForms(self._rows.targets)
        self._sections: list[_Section] = []
        self._without_interfaces = False

    def run(self, start: int) -> TakenListings | None:
        """Take all listings out."""
        kept: list[str] = []
        position, number, counted = 0, 1, 0
        for begin in self._chain_lines(start):
            if begin < position:
                continue
            number += self._text.count("\n", counted, begin)
            found = self._known(begin, number) or self._block(begin, number)
            if found is None:
                counted = begin
                continue
            block, end, lines = found
            self._place(block, self._text[position:begin])
            kept.append(self._text[position:begin])
            kept.append("\n" * lines)
            position = counted = end
            number += lines
        if not self._sections:
            return None
        kept.append(self._text[position:])
        sections = tuple(section.build() for section in self._sections)
        return TakenListings("".join(kept), sections, tuple(self._warnings()))

    def _warnings(self) -> Iterator[str]:
        if self._without_interfaces:
            yield (
                f"{self._name}: `iptables -L` without -v does not print -i and -o, so no rule of it is known to match:"
                " `iptables-save` shows them"
            )
        if self._rows.unread:
            rules = "1 rule has" if self._rows.unread == 1 else f"{self._rows.unread:,} rules have"
            yield f"{self._name}: {rules} unknown words, so their effect is unknown: try `iptables-save`"

    def _chain_lines(self, start: int) -> Iterator[int]:
        return (found.start() for found in _CHAIN.finditer(self._text, start))

    def _known(self, position: int, number: int) -> tuple[_Block, int, int] | None:
        """As `_block`, of a chain that looks like others."""
        found = self._forms.read(self._text, position, number)
        if found is None:
            return None
        block = _Block(found.rules.name, None, None, number, found.header, chain=found.rules, ended=True)
        rows = self._text[position : found.end].split("\n")[2:-1]
        block.family = next(filter(None, map(_family, rows)), None)
        self._without_interfaces = self._without_interfaces or not found.header.interfaces
        return block, found.end, len(rows) + 2

    def _block(self, position: int, number: int) -> tuple[_Block, int, int] | None:
        """The chain that begins at a line `Chain …`, where it ends, and its number of lines."""
        text, length = self._text, len(self._text)
        line, following = self._line(position)
        margin = line[: line.index("Chain")]
        found = CHAIN_LINE.match(line[len(margin) :])
        if found is None:
            return None
        counters = Counters(count(found["packets"]), count(found["bytes"])) if found["packets"] else None
        block = _Block(found["name"], found["policy"], counters, number)
        lines = 1
        named = spaced = False
        columns = ""
        rows: list[ReadRow] = []
        while following < length:
            line, after = self._line(following)
            line = line.removeprefix(margin)
            if line == JOINED:
                following = after
                lines += 1
                continue
            if not line.strip(" \t"):
                spaced = spaced or lines == 1
                if spaced and self._goes_on(after, margin, block.header):
                    following = after
                    lines += 1
                    continue
                block.ended = True
                if not line and not margin and lines == len(rows) + 2:
                    self._forms.learn(columns, rows)
                break
            if line.startswith("Chain ") and CHAIN_LINE.match(line):
                block.ended = True
                break
            if block.header is None:
                block.header = read_header(line)
                named = block.header is not None
                columns = line
                block.header = block.header or guess_header(line)
                if block.header is None:
                    break
            if not named:
                line = line if line.isascii() else _DASH.sub("--", line, count=1)
                rule = self._rows.read(line, block.header, block.name, number + lines)
                if rule is None:
                    if line.startswith("#") and self._goes_on(after, margin, block.header):
                        following = after
                        lines += 1
                        continue
                    block.ended = read_command(line) is not None
                    break
                if block.family is None:
                    block.family = _family(line)
                block.rules.append(rule)
                rows.append(self._rows.latest)
            named = False
            following = after
            lines += 1
        if block.header is not None and not block.header.interfaces:
            self._without_interfaces = True
        return block, min(following, length), lines if following < length or text.endswith("\n") else lines - 1

    def _goes_on(self, position: int, margin: str, header: Header | None) -> bool:
        """Whether a chain goes on at the line there, below an empty line or a remark: it has one after each line."""
        line = self._line(position)[0].removeprefix(margin)
        if header is None:
            return read_header(line) is not None
        line = line if line.isascii() else _DASH.sub("--", line, count=1)
        return header.row.match(line) is not None or line.startswith("#")

    def _line(self, position: int) -> tuple[str, int]:
        end = self._text.find("\n", position)
        end = len(self._text) if end < 0 else end
        return self._text[position:end], end + 1

    def _place(self, block: _Block, before: str) -> None:
        """Put a chain into its listing; `before` is the text since the previous chain."""
        command, filtered = _last_command(before)
        section = self._sections[-1] if self._sections else None
        if section is None or command is not None or not section.goes_on_with(block, before):
            section = _Section(block.line, command, filtered)
            self._sections.append(section)
        section.add(block)


def _last_command(text: str) -> tuple[ToolCall | None, bool]:
    """The command that printed the next output, and whether it left out some of it: the last one in the text, if only
    blank lines follow it."""
    for line in reversed(text.strip().split("\n")[-3:]):
        command = read_command(line)
        if command is not None:
            return (command, is_filtered(line)) if command.action == "L" else (None, False)
    return None, False


def _family(row: str) -> Family | None:
    found = _ADDRESS.search(row)
    return None if found is None else Family.IPV4 if found[1] is None else Family.IPV6


class _Section:
    """One listing: chains of one table."""

    def __init__(self, line: int, command: ToolCall | None, filtered: bool) -> None:
        self._line = line
        self._filtered = filtered
        self._command = command
        self.blocks: list[_Block] = []
        self._names: set[str] = set()

    def add(self, block: _Block) -> None:
        """Add the next chain."""
        self.blocks.append(block)
        self._names.add(block.name)

    def goes_on_with(self, block: _Block, before: str) -> bool:
        """Whether a chain may be the next one of this listing. `before` is the text between them."""
        last = self.blocks[-1]
        if before.strip() or block.name in self._names or block.header != last.header:
            return False
        if self._command is None and self.blocks[0].name not in HOOKS:
            return False  # chains picked one by one may be of several tables
        if block.name not in HOOKS:
            return True
        return last.name in HOOKS and HOOKS.index(last.name) < HOOKS.index(block.name)

    def build(self) -> TableBuilder:
        """The section, in the form that the reader of rules uses."""
        command = self._command
        section = TableBuilder(None if command is None else command.table, self._line, None)
        section.form = Form.COLUMNS
        section.committed = True
        section.family = next((block.family for block in self.blocks if block.family is not None), None)
        if command is not None:
            section.backend = command.backend
            section.family = section.family or command.family
        for block in self.blocks:
            section.declare(block.name, block.policy, block.counters, block.line)
            section.append(block.chain or Chain.of(block.name, block.rules))
        section.shown = self._extents(section.hooks)
        return section

    def _extents(self, hooks: frozenset[str]) -> Extents:
        if self._filtered:
            return Extents(Extent.SOME, {}, Extent.SOME)
        whole = any(hooks == set(names) for names in BUILT_IN_CHAINS.values())
        cut = {block.name: Extent.START for block in self.blocks if not block.ended}
        table = Extent.WHOLE if whole else Extent.SOME
        return Extents(table, cut, Extent.WHOLE)
