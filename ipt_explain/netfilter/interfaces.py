"""Interface names as rules match them."""

from __future__ import annotations


def interface_fits(pattern: str, name: str | None) -> bool:
    """Whether an interface has the name, or the start of the name in front of a trailing `+`.

    `name` is None in hooks that have no such interface (`-i` in OUTPUT, `-o` in PREROUTING and INPUT): only `+` fits it.
    """
    if pattern.endswith("+"):
        return (name or "").startswith(pattern[:-1])
    return name == pattern
