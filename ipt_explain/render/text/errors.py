"""Messages about lines that are not iptables-save syntax: place, line, caret, remedy."""

from __future__ import annotations

from ipt_explain.errors import Diagnostic, DumpSyntaxError
from ipt_explain.patterns import lazy_pattern
from ipt_explain.render.text.safe import cells, escape
from ipt_explain.words import and_more

INDENT = "  "
ELLIPSIS = "…"
SHOWN = 20
_COLONS = lazy_pattern(r"\s{0,200}(?=::)")


def syntax_report(error: DumpSyntaxError, width: int) -> str:
    """What is wrong with an input; quoted lines are cut to `width` columns. No final line feed."""
    lines: list[str] = []
    for diagnostic in error.diagnostics[:SHOWN]:
        lines.extend(_diagnostic(diagnostic, width))
    left_out = error.total - min(len(error.diagnostics), SHOWN)
    if left_out > 0:
        lines.append(f"{ELLIPSIS}{and_more(left_out, 'error')} ({error.total:,} in all)")
    remedies = (escape(diagnostic.remedy, keep="\n") for diagnostic in error.diagnostics[:SHOWN] if diagnostic.remedy)
    lines.extend(dict.fromkeys(remedies))
    return "\n".join(lines)


def _diagnostic(diagnostic: Diagnostic, width: int) -> list[str]:
    place = f"{escape(diagnostic.source)}:{diagnostic.line}:{diagnostic.column}"
    lines = [f"{place}: {escape(diagnostic.message)}"]
    if diagnostic.excerpt:
        start = diagnostic.column - 1
        lines.extend(INDENT + line for line in quoted(diagnostic.excerpt, start, diagnostic.width, width - len(INDENT)))
    if diagnostic.expected:
        lines.append(f"{INDENT}expected: {_lowered(escape(diagnostic.expected))}")
    return lines


def _lowered(sentence: str) -> str:
    """A sentence as the end of another: `A chain's name.` as `a chain's name`, `DNAT …` as it is."""
    sentence = sentence.removesuffix(".")
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]


def quoted(line: str, start: int, length: int, width: int) -> tuple[str, str]:
    """A line and the carets under `length` characters from `start` (0-based), both cut to `width` columns around them.

    It looks only at characters that it may show, so a line of 10 MB costs no more than a short one.
    """
    start = min(max(start, 0), len(line))
    end = start + min(max(length, 1), width)
    left = _shown(line, max(0, start - width), start)
    mark = _shown(line, start, end)
    right = _shown(line, end, end + width)
    if start <= width and end + width >= len(line) and _cells(left) + _cells(mark) + _cells(right) <= width:
        before, marked, after = "".join(left), "".join(mark), "".join(right)
    else:
        fitting = _fitting(mark, width - 2 * len(ELLIPSIS))
        marked = "".join(fitting)
        before = _before(left, start > width, width - cells(marked))
        rest = mark[len(fitting) :] + right
        after = _after(rest, end + width < len(line), width - cells(before + marked))
    return before + marked + after, " " * cells(before) + "^" * max(1, cells(marked))


def _shown(line: str, start: int, end: int) -> list[str]:
    """Characters of a line as printed. The first `:` of a leading `::` is escaped, because CI systems would obey it
    (see `render.text.safe`)."""
    part = line[start:end]
    shown = list(part) if part.isascii() and part.isprintable() else [escape(character) for character in part]
    colons = _COLONS.match(line)
    if colons is not None and start <= colons.end() < end:
        shown[colons.end() - start] = "\\x3a"
    return shown


def _before(left: list[str], cut: bool, room: int) -> str:
    """The text before the mark: all of it if that leaves a third of the room for the rest, else its end."""
    if not cut and _cells(left) <= room * 2 // 3:
        return "".join(left)
    return ELLIPSIS + "".join(_fitting(left[::-1], room // 2 - len(ELLIPSIS))[::-1])


def _after(right: list[str], cut: bool, room: int) -> str:
    if not cut and _cells(right) <= room:
        return "".join(right)
    return "".join(_fitting(right, room - len(ELLIPSIS))) + ELLIPSIS


def _fitting(shown: list[str], width: int) -> list[str]:
    """The first characters, as many as fit."""
    used = 0
    for count, character in enumerate(shown):
        used += cells(character)
        if used > width:
            return shown[:count]
    return shown


def _cells(shown: list[str]) -> int:
    text = "".join(shown)
    return len(text) if text.isascii() else sum(map(cells, shown))
