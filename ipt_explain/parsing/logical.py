"""Logical lines: a rule may go on behind a `\\` at the line's end, or behind a line feed inside quotes."""

from __future__ import annotations

import re
from dataclasses import dataclass

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_CLOSING = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL)
# A comment has at most 255 bytes (XT_MAX_COMMENT_LEN), a log prefix 127; escaping doubles them at most.
_MAX_QUOTED = 600


@dataclass(frozen=True, slots=True)
class LogicalLine:
    """A rule's text without its line feeds outside quotes.

    `end` is where it ends in the source's text; `unterminated` tells that a quote had to be closed for it;
    `joints` are the places in `text` where a next physical line begins.
    """

    text: str
    end: int
    unterminated: bool = False
    joints: tuple[int, ...] = ()

    @classmethod
    def of(cls, text: str) -> LogicalLine:
        """A physical line by itself."""
        return cls(text, len(text))

    def place(self, line: int, column: int) -> tuple[int, int]:
        """The source's line and column of a 1-based column of `text` whose first line is `line`."""
        start = 0
        for joint in self.joints:
            if column - 1 < joint:
                break
            line, start = line + 1, joint
        return line, column - start


def logical_line(text: str, start: int, end: int) -> LogicalLine:
    """The rule that begins at `start`, whose physical line ends at `end`."""
    content = text[start:end]
    if content.endswith("\\"):
        return _continued(text, start, end)
    if '"' not in content or '"' not in _QUOTED.sub("", content):
        return LogicalLine(content, end)
    # A quote is open at the line's end. iptables-save prints line feeds of a comment as they are, so look for the closing one.
    opening = start + _open_quote(content)
    closing = _CLOSING.match(text, opening + 1, opening + 1 + _MAX_QUOTED)
    if closing is not None:
        behind = text[closing.end() : closing.end() + 1]
        if behind in ("", " ", "\n"):
            last = text.find("\n", closing.end())
            last = len(text) if last < 0 else last
            whole = text[start:last]
            if '"' not in _QUOTED.sub("", whole):
                joints = tuple(match.end() for match in re.finditer("\n", whole))
                return LogicalLine(whole, last, joints=joints)
    return LogicalLine(content + '\n"', end, unterminated=True)


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


def _open_quote(content: str) -> int:
    position = 0
    while True:
        position = content.index('"', position)
        match = _QUOTED.match(content, position)
        if match is None:
            return position
        position = match.end()
