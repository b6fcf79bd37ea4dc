"""Lines of styled spans as text: plain, or coloured by rich for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from ipt_explain.render.text.outline import Line

STYLES = {
    "name": "bold",
    "guide": "dim",
    "line": "dim",
    "chain": "dim",
    "good": "green",
    "bad": "bold red",
    "unknown": "yellow",
    "share": "cyan",
    "address": "",
    "title": "bold",
}
_NO_CODES = ("", "")


def to_text(lines: Iterable[Line], color: bool) -> Iterator[str]:
    """The lines as text, with their line feeds."""
    return map(text_maker(color), lines)


def text_maker(color: bool) -> Callable[[Line], str]:
    """What makes a line text, with its line feed."""
    return _coloured() if color else _plain


def _plain(line: Line) -> str:
    return "".join([text for text, _ in line]).rstrip() + "\n"


@cache
def _coloured() -> Callable[[Line], str]:
    from ipt_explain.render.text.paint import painter

    # The spans are laid out and escaped: they only need codes before and after them.
    paint = painter(True)
    codes = {name: tuple(paint("\0", words).split("\0")) for name, words in STYLES.items()}

    def coloured(line: Line) -> str:
        pieces = []
        for text, style in line:
            if text:
                before, after = codes.get(style, _NO_CODES)
                pieces.append(f"{before}{text}{after}")
        return f"{''.join(pieces)}\n"

    return coloured
