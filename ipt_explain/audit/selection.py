"""Which findings are wanted: `--select` and `--ignore` with IDs and prefixes of IDs."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from ipt_explain.errors import UsageError


@dataclass(frozen=True, slots=True)
class Selection:
    """IDs and prefixes of IDs (`IPT2`). Where both lists match, the longer entry wins, and `ignore` wins a tie.

    An empty `select` selects everything.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def wants(self, rule_id: str) -> bool:
        """Whether findings of a rule are wanted."""
        selected = _longest(self.select, rule_id) if self.select else 0
        return selected is not None and (_longest(self.ignore, rule_id) or -1) < selected


def parse_ids(words: Iterable[str], known: Iterable[str], origin: str) -> tuple[str, ...]:
    """IDs and prefixes from words that may hold several, with commas or blanks between; case does not matter.

    Raises UsageError, with the nearest ID, for one that no rule of `known` begins with. `origin` says where the words
    stood.
    """
    ids = list(known)
    found: list[str] = []
    for word in words:
        for entry in word.replace(",", " ").split():
            entry = entry.upper()
            if not any(rule_id.startswith(entry) for rule_id in ids):
                raise UsageError(f"{origin}: no rule has the ID {entry}{nearest(entry, ids)}")
            found.append(entry)
    return tuple(found)


def nearest(word: str, known: Iterable[str]) -> str:
    """`; the nearest is X` for the known word most like `word`, or "" where none is near."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; the nearest is {close[0]}" if close else ""


def _longest(entries: tuple[str, ...], rule_id: str) -> int | None:
    return max((len(entry) for entry in entries if rule_id.startswith(entry)), default=None)
