"""Logical lines: a rule may go on after a `\\` at the line's end, or after a line feed inside quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import Record

# The group shows that a quote is never closed, and reaches to the end: so no text is searched twice.
_QUOTED = lazy_pattern(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|(\\?\Z))', re.DOTALL)
_CLOSING = lazy_pattern(r'[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
# A comment has at most 255 bytes (XT_MAX_COMMENT_LEN), a log prefix 127; escaping doubles them at most.
_MAX_QUOTED = 600


class LogicalLine(Record):
    """A rule's text without its line feeds outside of quotes. `end` is where it ends in the source's text.
    `unterminated`: a missing closing quote was added. `joints` are the places in `text` where another physical line
    begins."""

    text: str
    end: int
    unterminated: bool = False
    joints: tuple[int, ...] = ()

    @classmethod
    def of(cls, text: str) -> LogicalLine:
        """A physical line as a logical one."""
        return cls(text, len(text))

    def place(self, line: int, column: int) -> tuple[int, int]:
        """The source's line and column for a 1-based column of `text`, whose first line is `line`."""
        start = 0
        for joint in self.joints:
            if column - 1 < joint:
                break
            line, start = line + 1, joint
        return line, column - start


def readings(text: str, start: int, end: int) -> Iterator[LogicalLine]:
    """The possible readings of the rule that begins at `start`, whose physical line ends at `end`; the likeliest first.

    iptables-save prints a comment's line feeds as they are, and names that contain a quote unquoted. If a quote is
    never closed, iptables-restore takes the rest of the line into the value.
    """
    content = text[start:end]
    if content.endswith("\\"):
        yield _continued(text, start, end)
        return
    opening = _open_quote(content)
    if opening is not None:
        over_lines = _over_lines(text, start, start + opening)
        if over_lines is not None:
            yield over_lines
    yield LogicalLine(content, end)
    if opening is not None:
        yield LogicalLine(content + '\n"', end, unterminated=True)


def _over_lines(text: str, start: int, opening: int) -> LogicalLine | None:
    """The rule up to the end of the line that closes its quote, which `opening` opened."""
    closing = _CLOSING.match(text, opening + 1, opening + 1 + _MAX_QUOTED)
    if closing is None or text[closing.end() : closing.end() + 1] not in ("", " ", "\n"):
        return None
    last = text.find("\n", closing.end())
    last = len(text) if last < 0 else last
    whole = text[start:last]
    return LogicalLine(whole, last, joints=tuple(match.end() for match in re.finditer("\n", whole)))


def _continued(text: str, start: int, end: int) -> LogicalLine:
    parts: list[str] = []
    joints: list[int] = []
    length = 0
    while True:
        content = text[start:end]
        if not content.endswith("\\"):
            parts.append(content)
            return LogicalLine("".join(parts), end, joints=tuple(joints))
        parts.append(content[:-1])
        length += len(content) - 1
        if end >= len(text):
            return LogicalLine("".join(parts), end, joints=tuple(joints))
        joints.append(length)
        start = end + 1
        end = text.find("\n", start)
        end = len(text) if end < 0 else end


def _open_quote(content: str) -> int | None:
    """Where the quote begins that a line leaves open."""
    if '"' not in content:
        return None
    return next((match.start() for match in _QUOTED.finditer(content) if match[1] is not None), None)


def lacks_word(text: str) -> bool:
    """Whether a line's last word must be followed by another."""
    word = text.rstrip(" \t").rpartition(" ")[2]
    return len(word) <= len("-m") and word.startswith(("-", "!"))


def last_word(text: str) -> int:
    """Where the last word of a line begins."""
    text = text.rstrip(" \t")
    return len(text) - len(text.rsplit(" ", 1)[-1])
