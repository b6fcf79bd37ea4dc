"""Lines of styled spans as text: plain, or coloured by rich for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ipt_explain.render.text.outline import Line
from ipt_explain.render.text.paint import painter

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
    return _coloured(lines) if color else _plain(lines)


def _plain(lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        yield "".join([text for text, _ in line]).rstrip() + "\n"


def _coloured(lines: Iterable[Line]) -> Iterator[str]:
    # The spans are laid out and escaped: they only need codes before and after them.
    paint = painter(True)
    codes = {name: tuple(paint("\0", words).split("\0")) for name, words in STYLES.items()}
    for line in lines:
        pieces = []
        for text, style in line:
            if text:
                before, after = codes.get(style, _NO_CODES)
                pieces.append(f"{before}{text}{after}")
        yield f"{''.join(pieces)}\n"
