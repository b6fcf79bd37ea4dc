"""Interface names as rules match them."""

from __future__ import annotations

NO_INTERFACE = ""
"""The interface in hooks that have none (`-i` in OUTPUT, `-o` in PREROUTING and INPUT): only `+` fits it."""


def interface_fits(pattern: str, name: str) -> bool:
    """Whether an interface has this name, or begins with the text before a trailing `+`."""
    if pattern.endswith("+"):
        return name.startswith(pattern[:-1])
    return name == pattern
