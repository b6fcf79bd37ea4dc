"""Converting `nft list ruleset` to a ruleset: the loop over lines, and the block that each is in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ipt_explain.errors import Diagnostic
from ipt_explain.model import nft
from ipt_explain.parsing.nft.assembly import ChainDraft, RulesetDraft, SetDraft, TableDraft
from ipt_explain.parsing.nft.elements import ElementReader
from ipt_explain.parsing.nft.forms.forms import FormCache, NftForm, follow
from ipt_explain.parsing.nft.lines import BaseLine, BlockOpening, Closing, Content, Line, Property, RuleLine, Types
from ipt_explain.parsing.nft.normal import priority_of
from ipt_explain.parsing.nft.pasted import end_of_braces, printed_lines

if TYPE_CHECKING:
    from lark.exceptions import UnexpectedInput

_ELEMENTS = re.compile(r"[ \t]*elements[ \t]*=[ \t]*\{")
_ELISION = re.compile(r"[ \t]*(?:\.{3,}|…|\[\.\.\.\])[ \t]*\Z")
_MANAGED = re.compile(r"# Warning: table (\S+) (\S+) is managed by iptables-nft")
_OPENS = re.compile(r"\{[ \t]*(?:#[^\"\n]*)?\Z")
_HARMLESS = re.compile(r"^(?:comment|flags)\b|\{[ \t]*\Z")
_HANDLE = re.compile(r"[ \t]*# handle [0-9]+[ \t]*\Z")

MOST_RECOVERIES = 500
"""How many rules with unknown parts are taken apart in one text; later ones become a single Unread."""


class TextReader:
    """Reads the listings of one source. Faults are collected, not raised; a rule that the grammar does not know is not
    a fault. `whole` is all of the source's text: nft's remarks on tables of iptables-nft may be anywhere in it."""

    def __init__(self, source: str, whole: str) -> None:
        self.draft = RulesetDraft(source)
        self.faults: list[Diagnostic] = []
        self._source = source
        self._elements = ElementReader()
        self._lines = FormCache("line", r"[ \t]*", r"[ \t]*(?:\n+|\Z)", self._elements.literal)
        self._table: TableDraft | None = None
        self._earlier: TableDraft | None = None
        self._block: ChainDraft | SetDraft | str | None = None
        self._managed = frozenset(_MANAGED.findall(whole))
        self._recoveries = 0

    def read(self, text: str, first_line: int) -> None:
        """Read a text that begins at line `first_line` of the source."""
        position, line, length = 0, first_line, len(text)
        count = text.count
        form = self._lines.nothing
        while position < length:
            following = form.first
            match = following.match(text, position)
            if match is None:
                following = form.second
                match = following.match(text, position)
                if match is None:
                    position, line, form = self._read_odd_line(text, position, line, form)
                    continue
                follow(form, following)
            form = following
            read: Line = form.make(match.groups())
            end = match.end()
            content = read.content
            if type(content) is RuleLine and content.statements and type(self._block) is ChainDraft:
                self._add_rule(self._block, content, read.handle, text[position:end], line)
            elif type(content) is Closing and self._block is not None:
                self._block = None
            else:
                self._place(read, text[position:end], line)
            line += count("\n", position, end)
            position = end
        if self._table is not None:
            self._cut(line)

    def _read_odd_line(self, text: str, position: int, line: int, form: NftForm) -> tuple[int, int, NftForm]:
        """Read a line that has neither of the likely forms."""
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        raw = text[position:end]
        stripped = raw.strip()
        if not stripped or self._read_aside(stripped):
            return end + 1, line + 1, form
        if type(self._block) is str:
            if stripped.startswith("}"):
                self._block = None
            return end + 1, line + 1, form
        opening = _ELEMENTS.match(raw)
        if opening is not None and isinstance(self._block, SetDraft):
            after = self._read_elements(self._block, text, position + opening.end(), line)
            return after, line + text.count("\n", position, after), form
        for candidate in self._lines.candidates(stripped):
            match = candidate.match(text, position)
            if match is not None:
                follow(form, candidate)
                self._place(candidate.make(match.groups()), match[0], line)
                return match.end(), line + text.count("\n", position, match.end()), candidate
        if stripped.count("{") > stripped.count("}") and not _OPENS.search(stripped):
            end = end_of_braces(text, end)
            raw = text[position:end]
        self._parse(raw, line)
        return end + 1, line + text.count("\n", position, end) + 1, form

    def _read_aside(self, stripped: str) -> bool:
        """Handle comments and dots. Returns whether the line was one."""
        if stripped.startswith("#"):
            return True
        if _ELISION.match(stripped):
            self.draft.fragment = True
            return True
        return False

    def _parse(self, raw: str, line: int) -> None:
        from lark.exceptions import UnexpectedInput

        stripped = raw.strip()
        try:
            read: Line = self._lines.parse(stripped)
        except UnexpectedInput as error:
            self._unread(stripped, raw, line, error)
        except ValueError:
            self._unread(stripped, raw, line, None)
        else:
            self._place(read, raw, line)

    def _unread(self, stripped: str, raw: str, line: int, error: UnexpectedInput | None) -> None:
        """Handle a line that the grammar does not know: one of a configuration file has several statements; a rule of a
        chain becomes text; other lines are skipped or reported."""
        if self._read_statements(stripped, line):
            return
        if isinstance(self._block, ChainDraft) and not _OPENS.search(stripped):
            if self._recoveries < MOST_RECOVERIES:
                from ipt_explain.parsing.nft.recovery import recovered

                self._recoveries += 1
                content = recovered(stripped, self._lines)
            else:
                content = RuleLine((nft.Unread(_HANDLE.sub("", stripped)),), None)
            self._add_rule(self._block, content, None, stripped, line)
        elif self._table is not None:
            self._warn(line, f"skipped unknown nft syntax: {stripped[:60]}")
            # Where nft has only blocks, anything else may be half of one.
            self.draft.fragment = self.draft.fragment or (self._block is None and not _HARMLESS.search(stripped))
            if _OPENS.search(stripped):
                self._block = stripped.rstrip("{ \t")
                self._table.objects.append(self._block)
        else:
            column = raw.index(stripped[:1]) + 1
            if error is not None and isinstance(error.pos_in_stream, int):
                column += min(error.pos_in_stream, len(stripped) - 1)
            self._refuse(raw, line, column, "nft does not print such a line here", self._expected())

    def _read_statements(self, stripped: str, line: int) -> bool:
        """Read a line that holds several of nft's. Returns whether it does."""
        parts = printed_lines(stripped, self._block is not None)
        for part in parts:
            self._read_odd_line(part, 0, line, self._lines.nothing)
        return bool(parts)

    def _expected(self) -> str:
        if self._table is None:
            return "`table FAMILY NAME {`."
        return "`chain NAME {`, `set NAME {`, `map NAME {` or `}`."

    def _refuse(self, raw: str, line: int, column: int, message: str, expected: str) -> None:
        remedy = "Give what `nft list ruleset` prints, whole, as it prints it."
        self.faults.append(Diagnostic(self._source, line, column, message, raw, 1, expected, remedy))

    def _add_rule(self, chain: ChainDraft, content: RuleLine, handle: int | None, text: str, line: int) -> None:
        text = text.strip()
        if handle is not None:
            text = _HANDLE.sub("", text)
        chain.rules.append(nft.Rule(content.statements, content.comment, line, handle, text))

    def _place(self, read: Line, text: str, line: int) -> None:
        """Put a line where it belongs."""
        content, block = read.content, self._block
        if isinstance(content, BlockOpening):
            self._open(content, text, line)
        elif isinstance(content, Closing):
            self._close(text, line)
        elif isinstance(block, ChainDraft):
            self._in_chain(block, content, read.handle, text, line)
        elif isinstance(block, SetDraft):
            self._in_set(block, content)
        elif isinstance(block, str):
            pass
        elif self._table is not None and isinstance(content, RuleLine) and not content.statements:
            self._table.comment = content.comment
        elif self._table is not None and isinstance(content, Property) and content.name == "flags":
            self._table.dormant = isinstance(content.value, tuple) and "dormant" in content.value
        else:
            raw = text.rstrip("\n")
            column = len(raw) - len(raw.lstrip()) + 1
            self._refuse(raw, line, column, "this is not in a chain or set", self._expected())

    def _open(self, opening: BlockOpening, text: str, line: int) -> None:
        if opening.kind == "table":
            if self._table is not None:
                self._cut(line)
            assert opening.family is not None
            key = nft.TableFamily(opening.family), opening.name
            self._earlier = self.draft.tables.get(key)
            self._table = self.draft.tables[key] = TableDraft(*key, line)
            self._table.xtables = (opening.family, opening.name) in self._managed
            self._block = None
            return
        table = self._table
        if table is None:
            raw = text.rstrip("\n")
            column = len(raw) - len(raw.lstrip()) + 1
            self._refuse(raw, line, column, f"a {opening.kind} outside of any table", self._expected())
            self._block = f"{opening.kind} {opening.name}"
            return
        if self._block is not None:
            self.draft.fragment = True
            self._warn(line, "the block before this line is not closed; it may lack rules")
        if opening.kind == "chain":
            self._block = table.chains[opening.name] = ChainDraft(opening.name, line)
        elif opening.kind in ("set", "map"):
            self._block = table.sets[opening.name] = SetDraft(opening.name, line, opening.kind == "map")
        else:
            self._block = f"{opening.kind} {opening.name}"
            table.objects.append(self._block)

    def _close(self, text: str, line: int) -> None:
        if self._block is not None:
            self._block = None
        elif self._table is not None:
            self._end_table()
        else:
            raw = text.rstrip("\n")
            self._refuse(raw, line, raw.index("}") + 1, "this does not close a block", "`table FAMILY NAME {`.")

    def _in_chain(self, chain: ChainDraft, content: Content, handle: int | None, text: str, line: int) -> None:
        if isinstance(content, RuleLine):
            if content.statements:
                self._add_rule(chain, content, handle, text, line)
            else:
                chain.comment = content.comment
        elif isinstance(content, BaseLine):
            assert self._table is not None
            priority = priority_of(content.name, content.offset, self._table.family)
            if priority is None:
                raw = text.rstrip("\n")
                column = raw.index(content.name or "") + 1
                self._refuse(raw, line, column, f"{content.name} is not a priority", "dstnat.")
                return
            chain.base = nft.BaseChain(content.type, content.hook, priority, content.policy, content.devices)

    def _in_set(self, draft: SetDraft, content: Content) -> None:
        if isinstance(content, Types):
            draft.types, draft.data_types = content.key, content.data
        elif isinstance(content, RuleLine):
            if content.statements:
                draft.statements.extend(content.statements)
            else:
                draft.comment = content.comment
        elif isinstance(content, Property):
            if content.name == "flags" and isinstance(content.value, tuple):
                draft.flags = frozenset(content.value)
            elif content.name == "timeout" and isinstance(content.value, int):
                draft.timeout = content.value
            elif content.name == "size" and isinstance(content.value, int):
                draft.size = content.value

    def _read_elements(self, draft: SetDraft, text: str, position: int, line: int) -> int:
        """Read the elements after an opening brace; returns the position after them."""
        found = self._elements.read(text, position, line)
        draft.pieces.append(found.elements)
        if found.elided:
            draft.elided = self.draft.fragment = True
        if not found.closed:
            draft.elided = True
            after = text.find("\n", found.end)
            return len(text) if after < 0 else after + 1
        return found.end

    def _end_table(self) -> None:
        if self._earlier is not None and self._table is not None:
            self.draft.join(self._earlier, self._table)
        self._table = self._earlier = None

    def _warn(self, line: int, text: str) -> None:
        self.draft.warnings.append(f"{self._source}:{line}: {text}")

    def _cut(self, line: int) -> None:
        """Report a table that never ended."""
        assert self._table is not None
        self.draft.fragment = True
        if isinstance(self._block, SetDraft):
            self._block.elided = True
        table = f"table {self._table.family.value} {self._table.name}"
        self._warn(line, f"the text is cut: {table} does not end; what is missing is unknown")
        self._end_table()
        self._block = None
