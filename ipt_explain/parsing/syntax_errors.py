"""What is wrong with a rule's text, in words for people."""

from __future__ import annotations

import re
from difflib import get_close_matches

from lark import Token
from lark.exceptions import UnexpectedInput
from lark.parsers.lalr_interactive_parser import InteractiveParser

from ipt_explain.errors import IptExplainError


class RuleSyntaxError(IptExplainError):
    """A rule that the grammar refuses. `column` is 1-based in the rule's text, `width` how many columns are meant;
    `expected` says what could stand there, "" where there is nothing to say."""

    def __init__(self, column: int, width: int, message: str, expected: str = "") -> None:
        super().__init__(message)
        self.column = column
        self.width = width
        self.message = message
        self.expected = expected


def explain(line: str, position: int, error: UnexpectedInput, parser: InteractiveParser) -> RuleSyntaxError:
    return RuleSyntaxError(position + 1, 1, "unexpected text", "")
