"""Rules that the grammar knows only in part: the unknown part in the middle becomes text."""

from __future__ import annotations

import re
from typing import Any

from lark.exceptions import UnexpectedInput

from ipt_explain.model import nft
from ipt_explain.parsing.nft.forms.forms import MOST_CHARACTERS, FormCache
from ipt_explain.parsing.nft.grammar import nft_grammar
from ipt_explain.parsing.nft.lines import RuleLine

_MOST_TRIES = 4

# Words that always start a statement; others may be arguments of the unknown part.
_RESUMPTION = re.compile(
    r"(?<= )(?:accept|drop|return|continue|(?:jump|goto) [^ ]+|reject|masquerade|redirect|[ds]nat|counter|log|comment)"
    r"(?![\w-])"
)
_TRAILING = re.compile(r" *#[^\n\"]*\Z")


def recovered(text: str, lines: FormCache) -> RuleLine:
    """The statements of a rule that does not parse; at least one of them is Unread."""
    if len(text) > MOST_CHARACTERS:
        return RuleLine((nft.Unread(text),), None)
    text = _TRAILING.sub("", text)
    for end in _statement_ends(text)[: -_MOST_TRIES - 1 : -1]:
        head = _rule(text[:end], lines)
        if head is not None:
            break
    else:
        head, end = RuleLine((), None), 0
    rest = text[end:].lstrip()
    statements: tuple[nft.Statement, ...] = (nft.Unread(rest),)
    comment = head.comment
    for place in [found.start() for found in _RESUMPTION.finditer(rest)][:_MOST_TRIES]:
        tail = _rule(rest[place:], lines)
        if tail is not None:
            statements = (nft.Unread(rest[:place].rstrip()), *tail.statements)
            comment = comment or tail.comment
            break
    return RuleLine((*head.statements, *statements), comment)


def _rule(text: str, lines: FormCache) -> RuleLine | None:
    try:
        content = lines.parse(text, remember=False).content
    except (UnexpectedInput, ValueError):
        return None
    return content if isinstance(content, RuleLine) else None


def _statement_ends(text: str) -> list[int]:
    """Where the rule could have ended before the fault."""
    parser: Any = nft_grammar().parse_interactive(text, start="line")
    ends: list[int] = []
    end = 0
    try:
        for token in parser.lexer_thread.lex(parser.parser_state):
            parser.feed_token(token)
            end = token.end_pos or 0
            if "$END" in parser.choices():
                ends.append(end)
    except UnexpectedInput:
        pass
    return list(dict.fromkeys(ends))
