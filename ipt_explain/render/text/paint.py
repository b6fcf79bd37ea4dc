"""Colour for lines of our own making. Text from a dump must be escaped before it is painted."""

from __future__ import annotations

from collections.abc import Callable

Paint = Callable[[str, str], str]


def painter(color: bool) -> Paint:
    """A function of a text and a rich style (`bold red`) that colours the text, or leaves it as it is."""
    if not color:
        return _plain
    from rich.color import ColorSystem
    from rich.style import Style

    def paint(text: str, style: str) -> str:
        return Style.parse(style).render(text, color_system=ColorSystem.STANDARD)

    return paint


def _plain(text: str, style: str) -> str:
    return text
