"""Links that terminals make clickable (OSC 8)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import lru_cache

from ipt_explain.render.text.outline import Line


def file_link(text: str, path: str) -> str:
    """A text that links to a file on this machine; without a link if there is no such file."""
    address = _address(path)
    return text if address is None else f"\x1b]8;;{address}\x1b\\{text}\x1b]8;;\x1b\\"


@lru_cache
def _address(path: str) -> str | None:
    if path == "-" or not os.path.exists(path):
        return None
    import socket  # slow to import, and few outputs have links
    from urllib.parse import quote

    absolute = quote(os.fsencode(os.path.abspath(path)), safe="/")
    return f"file://{quote(socket.gethostname())}{absolute}"


def with_line_links(lines: Iterable[Line], path: str) -> Iterator[Line]:
    """Lines of an outline whose line numbers link to their file."""
    for line in lines:
        yield [(_linked(text, path) if style == "line" else text, style) for text, style in line]


def _linked(text: str, path: str) -> str:
    shown = text.strip()
    return text.replace(shown, file_link(shown, path)) if shown else text
