"""Colour and links: what a stream's terminal supports, by the conventions of terminals and CI services."""

from __future__ import annotations

import os
import re
from typing import TextIO

from ipt_explain.cli.shared.stdio import is_terminal

# Terminals with OSC 8 links, by the variables they set; see https://github.com/Alhadis/OSC8-Adoption.
_LINKING_PROGRAMS = frozenset({"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "mintty", "Tabby", "rio"})
_LINKING_TERMS = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "contour", "wezterm")
_LINKING_VARIABLES = ("WT_SESSION", "KONSOLE_VERSION", "DOMTERM", "KITTY_WINDOW_ID", "WEZTERM_PANE")
_FIRST_LINKING_VTE = 5000


def wants_color(stream: TextIO) -> bool:
    """Whether to colour text on a stream by default.

    NO_COLOR forbids it (no-color.org); FORCE_COLOR and CLICOLOR_FORCE turn it on in a pipe, too, as for CI logs;
    CLICOLOR=0 and TERM=dumb turn it off on a terminal.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return is_terminal(stream) and os.environ.get("CLICOLOR") != "0" and os.environ.get("TERM") != "dumb"


def shows_links(stream: TextIO) -> bool:
    """Whether a stream's terminal is known to support OSC 8 links; FORCE_HYPERLINK overrides (0: no)."""
    forced = os.environ.get("FORCE_HYPERLINK")
    if forced:
        return forced != "0"
    if not is_terminal(stream) or os.environ.get("TERM") == "dumb" or os.environ.get("CI"):
        return False
    vte = os.environ.get("VTE_VERSION", "")
    return (
        os.environ.get("TERM_PROGRAM") in _LINKING_PROGRAMS
        or os.environ.get("TERM", "").startswith(_LINKING_TERMS)
        or any(os.environ.get(name) for name in _LINKING_VARIABLES)
        or (re.fullmatch(r"[0-9]{1,9}", vte) is not None and int(vte) >= _FIRST_LINKING_VTE)
    )
