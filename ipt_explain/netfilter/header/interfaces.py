"""Interface names as rules match them."""

from __future__ import annotations

NO_INTERFACE = ""
"""What stands for the interface where a hook has none (`-i` in OUTPUT, `-o` in PREROUTING and INPUT): only `+` fits
it."""


def interface_fits(pattern: str, name: str) -> bool:
    """Whether an interface has the name, or the start of the name in front of a trailing `+`."""
    if pattern.endswith("+"):
        return name.startswith(pattern[:-1])
    return name == pattern
