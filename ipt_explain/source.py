"""Places in the input: lines, columns, carets. No colour."""

from __future__ import annotations

from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import dataclass, field

_LINE_FEED = lazy_pattern("\n")


@dataclass(frozen=True, slots=True, eq=False)
class SourceText:
    """A source's name and text, and its lines by number. Only LF ends a line, as for iptables."""

    name: str
    text: str = field(repr=False)
    _starts: list[int] = field(default_factory=list, repr=False)

    def line(self, number: int) -> str:
        """Line `number` (1-based) without its LF; "" if there is no such line."""
        starts = self._line_starts()
        if not 1 <= number <= len(starts):
            return ""
        start = starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start:] if end < 0 else self.text[start:end]

    def _line_starts(self) -> list[int]:
        if not self._starts:
            self._starts.append(0)
            self._starts.extend([match.end() for match in _LINE_FEED.finditer(self.text)])
        return self._starts
