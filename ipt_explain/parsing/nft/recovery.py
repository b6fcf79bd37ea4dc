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
_ASIDE = re.compile(
    r'last(?: used (?:never|[0-9smhdw]+))?|dup to [^ ]+(?: device "[^"]+")?|reset tcp option [a-z-]+'
)
_WRITING = re.compile(r"(?P<target>(?:meta|ct|ip6?|tcp|udp|ether|vlan) [a-z-]+) set (?P<value>.+)")
_TRAILING = re.compile(r" *#[^\n\"]*\Z")


def recovered(text: str, lines: FormCache) -> RuleLine:
    """The statements of a rule that does not parse; at least one of them is Unread."""
    if len(text) > MOST_CHARACTERS:
        return RuleLine((nft.Unread(text),), None)
    text = _TRAILING.sub("", text)
    for end in _statement_ends(text)[: -_MOST_TRIES - 1 : -1]:
        head = _rule(text[:end], lines)
        if head is not None and not _ends_the_rule(head):
            break
    else:
        head, end = RuleLine((), None), 0
    rest = text[end:].lstrip()
    statements: tuple[nft.Statement, ...] = (_unread(rest, lines),)
    comment = head.comment
    for place in [found.start() for found in _RESUMPTION.finditer(rest)][:_MOST_TRIES]:
        tail = _rule(rest[place:], lines)
        if tail is not None:
            statements = (_unread(rest[:place].rstrip(), lines), *tail.statements)
            comment = comment or tail.comment
            break
    return RuleLine((*head.statements, *statements), comment)


def _ends_the_rule(head: RuleLine) -> bool:
    """Whether nothing may follow: what does belongs to the last statement."""
    return bool(head.statements) and isinstance(head.statements[-1], (nft.Nat, nft.Reject, nft.Verdict))


def _unread(text: str, lines: FormCache) -> nft.Statement:
    """A statement as text; if it writes what it does not show to something known, a statement that says so."""
    if _ASIDE.fullmatch(text):
        return nft.Aside(text)
    written = _WRITING.fullmatch(text)
    if written is not None:
        alike = _rule(f"{written['target']} set 0", lines)
        if alike is not None and len(alike.statements) == 1 and isinstance(alike.statements[0], nft.Mangle):
            return nft.Mangle(alike.statements[0].target, nft.Unread(written["value"]))
    return nft.Unread(text)


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
            if "$END" in parser.choices() and text[end : end + 1] in ("", " "):
                ends.append(end)
    except UnexpectedInput:
        pass
    return list(dict.fromkeys(ends))
