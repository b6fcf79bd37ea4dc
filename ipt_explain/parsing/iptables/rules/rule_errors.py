"""What is wrong with one rule's text."""

from __future__ import annotations

from ipt_explain.errors import IptExplainError

NEGATED_TWICE = "two negations of one option"


class RuleSyntaxError(IptExplainError):
    """A rule that the grammar refuses. `column` is 1-based in the rule's text, `width` how many columns are meant;
    `expected` says what could stand there, "" where there is nothing to say."""

    def __init__(self, column: int, width: int, message: str, expected: str = "") -> None:
        super().__init__(message)
        self.column = column
        self.width = width
        self.message = message
        self.expected = expected
