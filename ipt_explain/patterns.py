"""Regular expressions that are compiled on first use.

Compiling one takes as long as importing a small module, and a command uses only a few of those in its modules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # type checkers see Python's own
    from re import compile as lazy_pattern
else:
    import re

    class lazy_pattern:  # noqa: N801, as `re.compile`
        """As `re.compile`."""

        def __init__(self, text, flags=0) -> None:
            self._source = text, flags

        def __getattr__(self, name):
            value = getattr(re.compile(*self._source), name)
            setattr(self, name, value)
            return value


__all__ = ["lazy_pattern"]
