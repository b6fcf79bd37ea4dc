"""Lines other than rules: tables, chains, COMMIT, comments, and the declarations of `iptables -S` and restore input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipt_explain.model import Counters, Form
from ipt_explain.model.kernel import BUILT_IN_CHAINS
from ipt_explain.parsing.iptables.clearing import Cleared
from ipt_explain.parsing.iptables.misfits import Headless, Holes
from ipt_explain.parsing.iptables.outputs import BLOCK_ENDS, is_elision, is_grep_gap
from ipt_explain.parsing.iptables.rule_reader import RuleReader
from ipt_explain.parsing.iptables.rulesets import (
    Generator,
    ends_table,
    read_failure,
    read_generator,
    read_legacy_warning,
    read_unreadable_table,
)
from ipt_explain.patterns import lazy_pattern

if TYPE_CHECKING:
    from ipt_explain.model.dump import FailedTool
    from ipt_explain.parsing.iptables.assembly import TableBuilder
    from ipt_explain.parsing.pastes.commands import ToolCall

COUNT = "[0-9]{1,20}"
CHAIN = lazy_pattern(
    rf":([^ \t\n]+)[ \t]+(ACCEPT|DROP|QUEUE|RETURN|-)(?:[ \t]+\[({COUNT}):({COUNT})\])?[ \t]*(?:\n|\Z)"
)
_ODD_CHAIN = lazy_pattern(r":([^ \t\n]+)[ \t]+(ACCEPT|DROP|QUEUE|RETURN|-)(?:[ \t]+\[[^\]\n]*\])?[ \t]*\Z")
_LISTED = lazy_pattern(
    rf"-([PNXF])[ \t]+([^ \t\n]+)(?:[ \t]+(ACCEPT|DROP))?(?:[ \t]+-c[ \t]+({COUNT})[ \t]+({COUNT}))?[ \t]*\Z"
)


class PlainLines:
    """Reads them one by one; the table that they open or close is that of `rules`.

    `unreadable` are tables that a comment names and the text cannot hold, each with the tool that wrote it; `failed`
    are tools that printed no rules, and whether that is certain.
    """

    def __init__(self, cleared: Cleared, rules: RuleReader, headless: Headless, holes: Holes) -> None:
        self.unreadable: list[tuple[Generator | None, str]] = []
        self.failed: list[tuple[FailedTool, bool]] = []
        self._cleared = cleared
        self._rules = rules
        self._headless = headless
        self._holes = holes
        self._generator: Generator | None = None
        self._listed_by: ToolCall | None = None  # the command above a listing, where there is one

    def read(self, content: str, line: int) -> bool:
        """Comment, table, chain, COMMIT, `iptables -S` declaration, elision. Returns whether the line was one of
        them.
        """
        if is_elision(content):
            if self._rules.table is not None:
                self._rules.table.elided = True
            self._cleared.elided = self._cleared.elided or bool(self._rules.table or self._rules.loose)
            self._holes.note_above(self._cleared.source.line(line + 1), self._rules.table)
        elif content.startswith("#"):
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
        elif is_grep_gap(content):
            self._cleared.elided = True
        else:
            return self._read_listed(content, line)
        return True

    def _read_comment(self, content: str) -> None:
        if content.startswith(BLOCK_ENDS):
            self._rules.table = None
            return
        generator = read_generator(content)
        if generator is not None:
            self._generator = generator
            self._rules.table = None
            self._headless.begin_table(len(self._rules.loose))
            return
        if ends_table(content):
            if self._rules.table is not None:
                self._rules.table.ended = True
            else:
                self._headless.close(len(self._rules.loose))
            self._rules.table = None
            return
        table = read_unreadable_table(content)
        if table is not None:
            self.unreadable.append((self._generator, table))
        warning = read_legacy_warning(content)
        if warning is not None:
            self._cleared.warnings.append(warning)
        failed = read_failure(content, self._cleared.source.name)
        if failed is not None:
            self.failed.append(failed)
        elif "tables" in content and " -" in content:
            self._read_heading(content)

    def _read_heading(self, content: str) -> None:
        """`# ip6tables -t nat -S` above its output, which names neither table nor family."""
        from ipt_explain.parsing.pastes.commands import is_filtered, read_command

        command = None if is_filtered(content) else read_command(content)
        if command is not None and command.action == "S" and command.chain is None and command.table in BUILT_IN_CHAINS:
            self._listed_by = command
            self._rules.table = None

    def _open_table(self, name: str, line: int) -> bool:
        if name not in BUILT_IN_CHAINS:
            # What follows belongs to it: it is read, so that it is not reported too, and left out.
            if name and " " not in name:
                self._begin(name, line, None)
                self._holes.nameless = True
            return False
        self._headless.begin_table(len(self._rules.loose))
        self._cleared.sections.append(self._begin(name, line, self._generator))
        return True

    def _begin(self, name: str | None, line: int, generator: Generator | None) -> TableBuilder:
        from ipt_explain.parsing.iptables.assembly import TableBuilder  # rules without a table do not need it

        table = self._rules.table = TableBuilder(name, line, generator)
        return table

    def _read_odd_chain(self, content: str, line: int) -> bool:
        """A chain outside of a table, as `iptables-save | grep` leaves it, or with counters that are not numbers."""
        match = _ODD_CHAIN.match(content)
        if match is None:
            return False
        if self._rules.table is None:
            self._headless.declare(line)
        else:
            name, policy = match.groups()
            self._rules.table.declare(name, None if policy == "-" else policy, None, line)
            if not CHAIN.match(content):
                ignored = "counters that are not numbers were treated as absent, as iptables-restore does"
                self._cleared.misfits.note(ignored)
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
        table = self._begin(None if command is None else command.table, line, None)
        if command is not None:
            table.family, table.backend = command.family, command.backend
        table.form = Form.LISTING
        table.committed = True
        self._cleared.sections.append(table)
        return table
