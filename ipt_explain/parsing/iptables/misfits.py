"""Lines that no dump has: diagnosed and counted, or read without what stood around them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ipt_explain.errors import Diagnostic, DumpSyntaxError, RuleSyntaxError
from ipt_explain.parsing.iptables.logical import LogicalLine
from ipt_explain.source import SourceText
from ipt_explain.words import counted

_MAX_DIAGNOSTICS = 20


class Misfits:
    """The misfits of one source. What they are is looked into only when there is one."""

    def __init__(self, source: SourceText) -> None:
        self._source = source
        self._diagnostics: list[Diagnostic] = []
        self._notes: Counter[str] = Counter()
        self.count = 0

    def meant(self, content: str) -> tuple[str, str] | None:
        """The line without what safely can be ignored around it, and what that was; None where nothing can."""
        from ipt_explain.parsing.iptables.diagnosis import safe_normalisation

        return safe_normalisation(content)

    def note(self, ignored: str) -> None:
        """A line was read after all."""
        self._notes[ignored] += 1

    def add(self, diagnostics: Sequence[Diagnostic], count: int) -> None:
        """Lines that another reader of the text has refused; `diagnostics` are of the first of them."""
        self.count += count
        self._diagnostics += diagnostics[: _MAX_DIAGNOSTICS - len(self._diagnostics)]

    def refuse(self, content: str, line: int) -> None:
        """A line is none of a dump's."""
        self.count += 1
        if len(self._diagnostics) < _MAX_DIAGNOSTICS:
            from ipt_explain.parsing.iptables.diagnosis import diagnose, foreign_line

            found = diagnose(content, self._source.line(line - 1)) or foreign_line(content)
            self._diagnostics.append(found.at(self._source.name, line, self._source.line(line)))

    def refuse_rule(self, logical: LogicalLine, line: int, error: RuleSyntaxError, shift: int = 0) -> None:
        """A line begins like a rule, after `shift` characters that may be ignored, and the grammar refuses it."""
        self.count += 1
        if len(self._diagnostics) < _MAX_DIAGNOSTICS:
            from ipt_explain.parsing.iptables.diagnosis import diagnose

            found = diagnose(logical.text)
            at, column = logical.place(line, error.column if found is None else found.column)
            column += shift
            excerpt = self._source.line(at)
            if found is None:
                diagnostic = Diagnostic(
                    self._source.name, at, column, error.message, excerpt, error.width, error.expected
                )
            else:
                diagnostic = Diagnostic(
                    self._source.name, at, column, found.message, excerpt, found.width, found.expected, found.remedy
                )
            self._diagnostics.append(diagnostic)

    def error(self, read_nothing: bool) -> DumpSyntaxError:
        """The error for all of them: one diagnostic where the whole input is something else."""
        from ipt_explain.parsing.iptables.diagnosis import recognise
        from ipt_explain.parsing.iptables.diagnosis.prefixes import DIFF

        if read_nothing:
            whole = recognise(self._source.text)
            if whole is not None:
                return DumpSyntaxError(
                    (whole.diagnosis.at(self._source.name, whole.line, self._source.line(whole.line)),)
                )
        found = sorted(self._diagnostics, key=lambda each: each.line)
        of_diff = next((each for each in found if each.message == DIFF), None)
        return DumpSyntaxError(tuple(found), self.count) if of_diff is None else DumpSyntaxError((of_diff,))

    def require_some_dump(self) -> None:
        """Nothing was read: raise DumpSyntaxError where the input is something else, say so where it is empty."""
        from ipt_explain.parsing.iptables.diagnosis import recognise

        whole = recognise(self._source.text)
        if whole is not None and self._source.text.strip():
            diagnostic = whole.diagnosis.at(self._source.name, whole.line, self._source.line(whole.line))
            raise DumpSyntaxError((diagnostic,))

    @property
    def warnings(self) -> list[str]:
        """What was ignored around lines, and how often; how many lines were skipped."""
        name = self._source.name
        said = [f"{name}: {counted(count, 'line')}: {ignored}" for ignored, count in self._notes.items()]
        if self.count:
            verb = "is" if self.count == 1 else "are"
            said.append(f"{name}: skipped {counted(self.count, 'line')} that {verb} not iptables-save syntax")
        return said
