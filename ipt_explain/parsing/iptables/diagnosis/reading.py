"""Lines that are safe to read although something surrounds the rule: what was added is known, and removing it cannot
change the rule's meaning. Everything else is refused and named."""

from __future__ import annotations

import html
import re

from ipt_explain.parsing.iptables.diagnosis.prefixes import RULE_START
from ipt_explain.parsing.iptables.diagnosis.shell import (
    BARE_PROMPT,
    DEBUGGING_POD,
    FAILURE,
    NAMED_FAILURE,
    PRINTING_COMMAND,
)
from ipt_explain.parsing.iptables.diagnosis.signs import LOOK
from ipt_explain.parsing.iptables.diagnosis.typography import BLANKS, DASHES, DOUBLE_QUOTES

INDENTED = "leading spaces were ignored"
TRAILING_BLANKS = "trailing spaces were ignored"
CARRIAGE_RETURN = "the carriage return at the line's end was ignored"
BYTE_ORDER_MARK = "the byte order mark was ignored"
MAIL_QUOTE = "the quote mark `>` in front was ignored"
NUMBERED = "the line number in front was ignored"
HTML_ESCAPED = "HTML entities such as &quot; were decoded"
PROMPT = "shell prompts and the command typed there were skipped"
SAID_ELSEWHERE = ""
"""The line is kept as a comment, and its reader says what it means."""
FAILED = "error messages of the command were skipped: what it did not print is missing"
KUBECTL = "what kubectl says by itself was skipped"
FENCE = "fences of Markdown or Jira were skipped"
TYPOGRAPHIC = "typographic dashes, quotes and spaces were read as plain ones"

_STARTS = re.compile(rf"{RULE_START}|#|-[PNX] \S|:\S|\.{{3}}|…")
_NUMBER = re.compile(rf"(?:\d{{1,9}}:|[ ]{{0,5}}\d{{1,6}}\t)(?={RULE_START})")
_FENCE = re.compile(
    rf"\s*(?:(?:`{{3,}}|~{{3,}})(?![ \t]*{RULE_START})[ \t]*[\w+-]{{0,20}}"
    r"(?:[ \t]?[{\[(:,][^`\n]{0,300}|[ \t]+[\w.-]{1,40}(?:=[^`\n]{0,300}|(?:[ \t|][^`\n]{0,300})?))?"
    r"|\{(?:noformat|code|panel|quote)(?:[:|][^{}]{0,200})?\})\s*\Z"
)
_PIECES = re.compile(r'"(?:[^"\\]|\\.)*"|[^"]+|"')
_TYPOGRAPHIC = re.compile(f"[{DASHES}{DOUBLE_QUOTES}{BLANKS}]")
_DASHED_OPTION = re.compile(rf"(?:(?<=\s)|\A)[{DASHES}-]{{1,2}}(?=[A-Za-z])([A-Za-z][\w-]*)")
_HEADING_LENGTH = 1000


def safe_normalisation(line: str) -> tuple[str, str] | None:
    """The line as a dump would have it, and what was done to get there; None if nothing safe can be done.

    A heading that is not a rule (a prompt that ran `iptables-save`, a Markdown fence) becomes a `#` line. The caller
    must still parse the result: typographic dashes and quotes are safe to read only if the result is a rule.
    """
    if len(line) <= _HEADING_LENGTH:
        heading = _heading(line)
        if heading is not None:
            return f"# {line.strip()}", heading
    text, notes = line, []
    for step in (
        _without_mark,
        _without_carriage_return,
        _without_quote_mark,
        _without_number,
        _without_indent,
        _without_trail,
        _unescaped,
        _straightened,
    ):
        changed = step(text)
        if changed is not None:
            text, note = changed
            notes.append(note)
    if not notes or (text and _STARTS.match(text) is None):
        return None
    return text, "; ".join(notes)


def _heading(line: str) -> str | None:
    if _FENCE.match(line):
        return FENCE
    bare = line.lstrip("> ")
    if NAMED_FAILURE.match(bare):
        return SAID_ELSEWHERE
    if FAILURE.match(bare):
        return FAILED
    if BARE_PROMPT.match(bare) or PRINTING_COMMAND.match(bare):
        return PROMPT
    if DEBUGGING_POD.match(bare):
        return KUBECTL
    return None


def _without_mark(text: str) -> tuple[str, str] | None:
    for mark in ("\ufeff", "\udcef\udcbb\udcbf"):
        if text.startswith(mark):
            return text[len(mark) :], BYTE_ORDER_MARK
    return None


def _without_carriage_return(text: str) -> tuple[str, str] | None:
    return (text[:-1], CARRIAGE_RETURN) if text.endswith("\r") else None


def _without_quote_mark(text: str) -> tuple[str, str] | None:
    return (text.lstrip("> \t"), MAIL_QUOTE) if text.startswith(">") else None


def _without_number(text: str) -> tuple[str, str] | None:
    found = _NUMBER.match(text)
    return (text[found.end() :], NUMBERED) if found else None


def _without_indent(text: str) -> tuple[str, str] | None:
    stripped = text.lstrip(" \t")
    return (stripped, INDENTED) if len(stripped) != len(text) else None


def _without_trail(text: str) -> tuple[str, str] | None:
    stripped = text.rstrip(" \t")
    return (stripped, TRAILING_BLANKS) if len(stripped) != len(text) else None


def _unescaped(text: str) -> tuple[str, str] | None:
    if len(text) > LOOK or '"' in text or not ("&quot;" in text or "&#34;" in text) or "<" in text:
        return None
    return html.unescape(text), HTML_ESCAPED


def _straightened(text: str) -> tuple[str, str] | None:
    """The line with plain dashes before options, plain quotation marks and plain blanks, outside of straight quotes."""
    if len(text) > LOOK or _TYPOGRAPHIC.search(text) is None:
        return None
    pieces = _PIECES.findall(text)
    outside = "".join(piece for piece in pieces if not piece.startswith('"'))
    quotes = sum(map(outside.count, DOUBLE_QUOTES))
    if quotes % 2 or (quotes and '"' in text):
        return None
    changed = "".join(piece if piece.startswith('"') else _straight(piece) for piece in pieces)
    return (changed, TYPOGRAPHIC) if changed != text else None


def _straight(piece: str) -> str:
    for blank in BLANKS:
        piece = piece.replace(blank, " ")
    parts = re.split(f"([{DOUBLE_QUOTES}])", piece)
    parts[::4] = map(_with_hyphens, parts[::4])
    return "".join('"' if part in DOUBLE_QUOTES and part else part for part in parts)


def _with_hyphens(piece: str) -> str:
    return _DASHED_OPTION.sub(_option, piece)


def _option(found: re.Match[str]) -> str:
    name = found.group(1)
    return f"-{name}" if len(name) == 1 else f"--{name}"
