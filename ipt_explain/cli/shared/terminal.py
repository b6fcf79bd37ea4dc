"""What a stream's terminal can do: colour and links, by the conventions that terminals and CI services share."""

from __future__ import annotations

import os
import re
from typing import TextIO

from ipt_explain.cli.shared.stdio import is_terminal

# Terminals that show OSC 8 links, by what they set; https://github.com/Alhadis/OSC8-Adoption has the list.
_LINKING_PROGRAMS = frozenset({"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "mintty", "Tabby", "rio"})
_LINKING_TERMS = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "contour", "wezterm")
_LINKING_VARIABLES = ("WT_SESSION", "KONSOLE_VERSION", "DOMTERM", "KITTY_WINDOW_ID", "WEZTERM_PANE")
_FIRST_LINKING_VTE = 5000


def wants_color(stream: TextIO) -> bool:
    """Whether text on a stream is coloured, where `--color` does not say.

    NO_COLOR forbids it (no-color.org); FORCE_COLOR and CLICOLOR_FORCE ask for it in a pipe too, as CI logs can show it;
    CLICOLOR=0 and TERM=dumb turn it off on a terminal.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return is_terminal(stream) and os.environ.get("CLICOLOR") != "0" and os.environ.get("TERM") != "dumb"


def shows_links(stream: TextIO) -> bool:
    """Whether a stream's terminal is known to make OSC 8 links clickable; FORCE_HYPERLINK overrules (0: no)."""
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
