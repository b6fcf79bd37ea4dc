"""Wording of values and conditions: negation, alternatives, seconds."""

from __future__ import annotations

from ipt_explain.words import either

# Every predicate starts with one of these verbs, so that it can be negated.
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
    """A predicate, negated if the option is."""
    return deny(predicate) if negated else predicate


def any_of(value: str) -> str:
    """A comma-separated list of alternatives: `NEW,RELATED` as `NEW or RELATED`."""
    return either(value.split(","))
