"""Runs of lines that all have one of a few forms: a node has ten thousand elements of sets, real servers and addresses.

Such lines are recognised by themselves, whatever is around them, and read without looking around.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ipt_explain.parsing.line_forms import LineForm, LineForms

# How lines of each kind begin that `signs` recognises by themselves; details only follow an address.
_BEGINNINGS = {
    "added": r"add [^ \t\n]+ [^ \t\n{\d:.,]*[\d:.,][^ \t\n{]*\n",
    "saved_service": r"-A -[tu] ",
    "saved_server": r"-a -[tu] ",
    "address": r" +inet6? [0-9a-fA-F:.]+/\d+ ",
    "detail": r" +valid_lft ",
}
_BLANKS = "[ \\t]+"
_SUBJECT = re.compile(r"add [^ \n]+ |-a -[tu] [^ \n]+ ")
_MOST_TOGETHER = 256
"""So many lines are read again if one of them is invalid."""


class Runs:
    """Reads runs of lines by the forms that have been read twice before."""

    def __init__(self, forms: LineForms) -> None:
        self._forms = forms
        self._tried: set[LineForm] = set()
        self._patterns: list[tuple[re.Pattern[str], LineForm]] = []

    def read(self, text: str, position: int) -> Iterator[tuple[LineForm, Sequence[tuple[str, ...]], int]]:
        """The words of the lines from a position on, up to the first of another form. Lines about one set or virtual
        server come together. With each goes its form, and the end of the lines."""
        if len(self._tried) < len(self._forms.known):
            self._learn()
        patterns = self._patterns
        found = True
        while found:
            found = False
            for pattern, form in patterns:
                match = pattern.match(text, position)
                if match is None:
                    continue
                rows, end = [match.groups()], match.end()
                subject = _SUBJECT.match(text, position)
                if subject is not None:
                    last, count = _end_of_same(text, subject[0], end)
                    together = pattern.findall(text, position, last) if count > 1 else rows
                    if len(together) == count > 1:
                        rows, end = together, last
                position, found = end, True
                yield form, rows, end
                break

    def _learn(self) -> None:
        for pattern, form in self._forms.known:
            beginning = _BEGINNINGS.get(form.kind)
            if form not in self._tried and beginning is not None:
                whole = pattern.pattern.removesuffix(r"\Z")
                lead = " +" if whole.startswith(_BLANKS) else ""
                words = whole.removeprefix(_BLANKS) if lead else whole
                whole = f"^(?={beginning}){lead}{words.replace(_BLANKS, ' ')}\n"
                self._patterns.append((re.compile(whole, re.MULTILINE), form))
            self._tried.add(form)


def _end_of_same(text: str, beginning: str, position: int) -> tuple[int, int]:
    """Where the lines that begin so end, and how many they are; the first ends at the position."""
    count = 1
    while count < _MOST_TOGETHER and text.startswith(beginning, position):
        end = text.find("\n", position)
        if end < 0:
            break
        position, count = end + 1, count + 1
    return position, count
