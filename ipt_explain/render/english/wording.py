"""Small pieces of English: lists, durations, negation."""

from __future__ import annotations

from collections.abc import Sequence

# Every phrase about a packet starts with one of these verbs, so that it can be denied.
_DENIED = {
    "arrives": "does not arrive",
    "arrived": "did not arrive",
    "belongs": "does not belong",
    "carries": "does not carry",
    "comes": "does not come",
    "contains": "does not contain",
    "gets": "does not get",
    "goes": "does not go",
    "has": "does not have",
    "hashes": "does not hash",
    "is": "is not",
    "leaves": "does not leave",
    "passes": "does not pass",
    "satisfies": "does not satisfy",
    "was": "was not",
    "will": "will not",
}


def deny(predicate: str) -> str:
    """The opposite of a predicate such as `comes from 10.0.0.0/8`."""
    verb, _, rest = predicate.partition(" ")
    return f"{_DENIED[verb]} {rest}"


def say(predicate: str, negated: bool) -> str:
    """A predicate, denied where the option is."""
    return deny(predicate) if negated else predicate


def either(items: Sequence[str]) -> str:
    """`a, b or c`."""
    return _enumerate(items, "or")


def both(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return _enumerate(items, "and")


def _enumerate(items: Sequence[str], conjunction: str) -> str:
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"


def any_of(value: str) -> str:
    """A comma list of which one must fit: `NEW,RELATED` as `NEW or RELATED`."""
    return either(value.split(","))


def cited(value: str) -> str:
    """Free text from a rule, in quotes."""
    return f'"{value}"'


def plural(count: str | int, noun: str) -> str:
    """`1 packet`, `2 packets`."""
    return f"{count} {noun}" if str(count) == "1" else f"{count} {noun}s"


_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def duration(seconds: str) -> str:
    """Seconds in larger units, and as written: `10800` as `3 h (10800 s)`, `45` as `45 s`."""
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 12):
        return f"{seconds} s"
    left, parts = int(seconds), []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    if not parts or parts[0] == f"{seconds} s":
        return f"{seconds} s"
    return f"{' '.join(parts)} ({seconds} s)"


def aside(parts: Sequence[str]) -> str:
    """` (a, b)`, or nothing."""
    return f" ({', '.join(parts)})" if parts else ""


def clipped(text: str, most: int = 2000) -> str:
    """Text of a length that somebody may read; what iptables itself prints is never longer."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"
