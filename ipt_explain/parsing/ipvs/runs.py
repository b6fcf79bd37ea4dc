"""Runs of lines that all have one of a few forms: a node has ten thousand elements of sets, real servers and addresses.

Such lines are recognised by themselves, whatever is around them, and read without looking around.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ipt_explain.parsing.line_forms import LineForm, LineForms, ReadLine

# How lines of each kind begin that `signs` recognises by themselves; details only follow an address.
_BEGINNINGS = {
    "added": r"add [^ \t\n]+ [^ \t\n{]*[\d:.,][^ \t\n{]*\n",
    "saved_service": r"-A -[tu] ",
    "saved_server": r"-a -[tu] ",
    "address": r" +inet6? [0-9a-fA-F:.]+/\d+ ",
    "detail": r" +valid_lft ",
}
_BLANKS = "[ \\t]+"


class Runs:
    """Reads runs of lines by the forms that have been read twice before."""

    def __init__(self, forms: LineForms) -> None:
        self._forms = forms
        self._tried: set[LineForm] = set()
        self._patterns: list[tuple[re.Pattern[str], LineForm]] = []

    def read(self, text: str, position: int) -> Iterator[tuple[ReadLine, int]]:
        """The lines from a position on, each with its end; up to the first of another form."""
        if len(self._tried) < len(self._forms.known):
            self._learn()
        patterns = self._patterns
        found = True
        while found:
            found = False
            for pattern, form in patterns:
                match = pattern.match(text, position)
                if match is not None:
                    position, found = match.end(), True
                    yield ReadLine(form, match.groups()), position
                    break

    def _learn(self) -> None:
        for pattern, form in self._forms.known:
            beginning = _BEGINNINGS.get(form.kind)
            if form not in self._tried and beginning is not None:
                whole = pattern.pattern.removesuffix(r"\Z")
                lead = " +" if whole.startswith(_BLANKS) else ""
                words = whole.removeprefix(_BLANKS) if lead else whole
                self._patterns.append((re.compile(f"(?={beginning}){lead}{words.replace(_BLANKS, ' ')}\n"), form))
            self._tried.add(form)
