"""Places in the input: lines, columns, carets. No colour."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

from ipt_explain.records import dataclass, field

_BLOCK = 4096
"""Characters. Line feeds are counted by block, as few lines of a long text are ever asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class SourceText:
    """A source's name and text, and its lines by number. Only LF ends a line, as for iptables."""

    name: str
    text: str = field(repr=False)
    _counts: list[int] = field(default_factory=list, repr=False)

    def line(self, number: int) -> str:
        """Line `number` (1-based) without its LF; "" if there is no such line."""
        text = self.text
        if not self._counts:
            blocks = range(0, len(text), _BLOCK)
            self._counts.extend(accumulate([text.count("\n", at, at + _BLOCK) for at in blocks], initial=0))
        ahead = number - 1
        if not 0 <= ahead <= self._counts[-1]:
            return ""
        start = 0
        if ahead:
            block = bisect_left(self._counts, ahead) - 1
            start = block * _BLOCK
            for _ in range(ahead - self._counts[block]):
                start = text.index("\n", start) + 1
        end = text.find("\n", start)
        return text[start:] if end < 0 else text[start:end]
