"""What can go wrong, for the person who must act on it."""

from __future__ import annotations

from ipt_explain.records import dataclass


class IptExplainError(Exception):
    """The base of everything that ipt-explain raises on purpose. Its text is for people; it never holds colour."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing that is wrong with an input.

    `line` and `column` are 1-based; `width` is how many columns the caret underlines; `excerpt` is the line
    as it is in the source; `expected` and `remedy` are sentences, or "" where there is nothing to say.
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
    `diagnostics` has at most 20 of them and `total` tells how many there were."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...], total: int | None = None) -> None:
        first = diagnostics[0]
        super().__init__(f"{first.source}:{first.line}:{first.column}: {first.message}")
        self.diagnostics = diagnostics
        self.total = len(diagnostics) if total is None else total
        self.line = first.line
        self.column = first.column
        self.remedy = first.remedy


class UsageError(IptExplainError):
    """The command line or the input cannot be used: nothing to read, a file that will not open, a filter that fits
    nothing.
    """
