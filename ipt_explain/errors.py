"""Errors and diagnostics, worded for the person who must act on them."""

from __future__ import annotations

from ipt_explain.records import Record


class IptExplainError(Exception):
    """Base class of every error that ipt-explain raises on purpose. Its text is for people and never has colour."""


class Diagnostic(Record):
    """One fault in an input.

    `line` and `column` are 1-based; `width` is the number of columns that the caret underlines; `excerpt` is the
    unchanged source line; `expected` and `remedy` are sentences, or "".
    """

    source: str
    line: int
    column: int
    message: str
    excerpt: str = ""
    width: int = 1
    expected: str = ""
    remedy: str = ""


class DumpSyntaxError(IptExplainError):
    """The input is not iptables-save syntax. `line`, `column` and `remedy` are those of the first diagnostic;
    `diagnostics` has at most 20 of `total`."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...], total: int | None = None) -> None:
        first = diagnostics[0]
        super().__init__(f"{first.source}:{first.line}:{first.column}: {first.message}")
        self.diagnostics = diagnostics
        self.total = len(diagnostics) if total is None else total
        self.line = first.line
        self.column = first.column
        self.remedy = first.remedy


class UsageError(IptExplainError):
    """The command line or the input is unusable: nothing to read, a file that cannot be opened, a filter that matches
    nothing."""


NEGATED_TWICE = "two negations of one option"


class RuleSyntaxError(IptExplainError):
    """A rule that the grammar refuses. `column` is 1-based in the rule's text, `width` how many columns are meant;
    `expected` says what could be there, "" where there is nothing to say."""

    def __init__(self, column: int, width: int, message: str, expected: str = "") -> None:
        super().__init__(message)
        self.column = column
        self.width = width
        self.message = message
        self.expected = expected
