"""Colour for our own text. Text from a dump must be escaped first."""

from __future__ import annotations

from collections.abc import Callable

Paint = Callable[[str, str], str]


def painter(color: bool) -> Paint:
    """A function that colours a text in a rich style (`bold red`), or returns it unchanged."""
    if not color:
        return _plain
    from rich.color import ColorSystem
    from rich.style import Style

    def paint(text: str, style: str) -> str:
        return Style.parse(style).render(text, color_system=ColorSystem.STANDARD)

    return paint


def _plain(text: str, style: str) -> str:
    return text
