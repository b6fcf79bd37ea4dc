"""Links that terminals make clickable (OSC 8)."""

from __future__ import annotations

import os


def file_link(text: str, path: str) -> str:
    """A text that leads to a file of this machine; the text as it is for standard input."""
    if path == "-":
        return text
    import socket  # few outputs have links, and it is much to load
    from urllib.parse import quote

    absolute = quote(os.fsencode(os.path.abspath(path)), safe="/")
    return f"\x1b]8;;file://{quote(socket.gethostname())}{absolute}\x1b\\{text}\x1b]8;;\x1b\\"
