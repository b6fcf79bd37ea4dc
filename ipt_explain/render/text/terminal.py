"""Lines of styled spans as text: plain, or coloured by rich for a terminal."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

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

_BATCH = 200


def to_text(lines: Iterable[Line], color: bool) -> Iterator[str]:
    """The lines as text, in pieces of several lines with their line feeds."""
    return _coloured(lines) if color else _plain(lines)


def _plain(lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        yield "".join([text for text, _ in line]).rstrip() + "\n"


def _coloured(lines: Iterable[Line]) -> Iterator[str]:
    from rich.console import Console
    from rich.segment import Segment, Segments
    from rich.style import Style

    # The spans are already laid out and escaped: rich must only colour them, not wrap, crop or interpret markup.
    console = Console(
        file=io.StringIO(), force_terminal=True, color_system="standard", no_color=False, legacy_windows=False
    )
    styles = {name: Style.parse(words) for name, words in STYLES.items()}
    batch: list[Segment] = []

    def flush() -> str:
        with console.capture() as captured:
            console.print(Segments(batch), soft_wrap=True, end="")
        batch.clear()
        return captured.get()

    for count, line in enumerate(lines, start=1):
        batch.extend(Segment(text, styles.get(style)) for text, style in line)
        batch.append(Segment.line())
        if count % _BATCH == 0:
            yield flush()
    yield flush()
