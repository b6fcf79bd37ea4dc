"""What a line is when it is not iptables-save syntax, and the signs that give it away."""

from __future__ import annotations

import re

from ipt_explain.errors import Diagnostic
from ipt_explain.records import Record

LOOK = 16_384
"""How many characters of a line are looked at: enough to name it, few enough for a line of many megabytes."""

RUN_SAVE = (
    "Run `iptables-save` instead (as root), or "
    "`kubectl debug node/NAME -i --quiet --profile=sysadmin --image=busybox -- chroot /host iptables-save`."
)


class Diagnosis(Record):
    """What is wrong with one line: one sentence, where it shows (1-based column, width in characters), what
    iptables-save would print there, and what to do about it ("" for nothing)."""

    message: str
    column: int = 1
    width: int = 1
    expected: str = ""
    remedy: str = ""

    def at(self, source: str, line: int, excerpt: str) -> Diagnostic:
        """The same as a diagnostic of a line of a source."""
        return Diagnostic(source, line, self.column, self.message, excerpt, self.width, self.expected, self.remedy)


class OtherInput(Record):
    """An input that is something other than a dump; `line` is the first line that shows it."""

    line: int
    diagnosis: Diagnosis


class Sign(Record):
    """A pattern that reveals a kind of text. The caret underlines group 1 or, without groups, the whole match."""

    pattern: re.Pattern[str]
    message: str
    remedy: str
    expected: str = ""

    def find(self, line: str) -> Diagnosis | None:
        """The diagnosis, if the line shows this sign."""
        found = self.pattern.search(line, 0, LOOK)
        if found is None:
            return None
        start, end = found.span(found.re.groups and 1)
        return Diagnosis(self.message, start + 1, max(1, end - start), self.expected, self.remedy)


def sign(pattern: str, message: str, remedy: str, expected: str = "") -> Sign:
    """A sign whose pattern is given as text."""
    return Sign(re.compile(pattern), message, remedy, expected)


def first_sign(signs: tuple[Sign, ...], line: str) -> Diagnosis | None:
    """The diagnosis of the first sign that the line shows."""
    for sign in signs:
        diagnosis = sign.find(line)
        if diagnosis is not None:
            return diagnosis
    return None
