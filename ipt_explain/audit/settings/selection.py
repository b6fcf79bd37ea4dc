"""Which findings are selected: `--select` and `--ignore` with IDs, prefixes of IDs and names of rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ipt_explain.errors import UsageError
from ipt_explain.records import Record

Names = Mapping[str, str]
"""The names of rules and their IDs: `{"IPT202": "IPT202", "traffic-leaks": "IPT202", …}`."""


class RuleSelection(Record):
    """IDs and prefixes of IDs (`IPT2`). If both lists match, the longer entry wins, and `ignore` wins a tie.

    An empty `select` selects everything.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def wants(self, rule_id: str) -> bool:
        """Whether findings of a rule are selected."""
        selected = _longest(self.select, rule_id) if self.select else 0
        return selected is not None and (_longest(self.ignore, rule_id) or -1) < selected


def parse_ids(words: Iterable[str], known: Names, origin: str) -> tuple[str, ...]:
    """IDs and prefixes of IDs from words that may contain several, separated by commas or blanks; names of rules become
    their IDs. Case does not matter.

    Raises UsageError, with the nearest name, for an unknown word. `origin` says where the words come from.
    """
    ids = set(known.values())
    found: list[str] = []
    for word in words:
        for entry in word.replace(",", " ").split():
            if entry.lower() in known:
                found.append(known[entry.lower()])
            elif any(rule_id.startswith(entry.upper()) for rule_id in ids):
                found.append(entry.upper())
            else:
                near = nearest_word(entry.upper(), sorted(ids)) or nearest_word(entry.lower(), known)
                raise UsageError(f"{origin}: no rule is called {entry}{near}")
    return tuple(found)


def is_named(word: str, rule_id: str, slug: str) -> bool:
    """Whether a word means a rule: its ID, a prefix of it with at least a family (`IPT7`), or its name."""
    return word.lower() == slug or (len(word) > len("IPT") and rule_id.startswith(word.upper()))


def nearest_word(word: str, known: Iterable[str]) -> str:
    """`; the nearest is X` for the known word most like `word`, or "" if none is near."""
    import difflib  # few words are misspelt

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; the nearest is {close[0]}" if close else ""


def _longest(entries: tuple[str, ...], rule_id: str) -> int | None:
    return max((len(entry) for entry in entries if rule_id.startswith(entry)), default=None)
