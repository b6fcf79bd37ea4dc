"""What a whole text may have around it, taken off before its lines are read: a mark, a page's escapes, line ends."""

from __future__ import annotations

import html
from dataclasses import dataclass

from ipt_explain.parsing.line_ends import with_line_feeds


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text as iptables printed it, and what people should know of how it came here."""

    text: str
    warnings: tuple[str, ...]


def clean(text: str, source: str) -> Cleaned:
    """The text without a byte order mark, with its quotes where a page's source had `&quot;`, with LF at line ends."""
    warnings: list[str] = []
    text = text.removeprefix("\ufeff")
    # No dump with &quot; in the place of every quote was printed by iptables: it was copied from a page's source.
    if '"' not in text and "&quot;" in text:
        text = html.unescape(text)
        warnings.append(f"{source}: it is escaped as in an HTML page; &quot; and the like were decoded")
    text, count = with_line_feeds(text)
    if count:
        lines = "1 line ends" if count == 1 else f"{count:,} lines end"
        warnings.append(f"{source}: {lines} in CR LF; iptables-restore would refuse them")
    return Cleaned(text, tuple(warnings))
