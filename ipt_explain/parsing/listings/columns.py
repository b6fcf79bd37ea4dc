"""The columns of a listing: `num pkts bytes target prot opt in out source destination`, and what follows them.

A column is only as wide as its longest usual word, so columns are recognised by their content, not by their position.
The target of a rule without one is blank; ip6tables before 1.8.9 has blanks under `opt`.
"""

from __future__ import annotations

import re
from functools import cache

from ipt_explain.records import Record
from ipt_explain.words.names import OTHER_PROTOCOLS, PROTOCOLS

CHAIN_LINE = re.compile(
    r"Chain (?P<name>.+?) \((?:policy (?P<policy>[A-Z]+)"
    r"(?: (?P<packets>\d+[KMGTP]?) packets, (?P<bytes>\d+[KMGTP]?) bytes)?"
    r"|(?P<references>\d+) references?|(?P<odd>\[?[^()\n]*\]?))\)[ \t]*(?:(?:[←⟵→#(]|<[-=]|[-=]{1,2}>|//)[^\n]*)?\Z"
)
_HEADER = re.compile(
    r"[ \t]*(?P<num>num[ \t]+)?(?P<counts>pkts[ \t]+bytes[ \t]+)?target[ \t]+prot[ \t]+(?:opt[ \t]+)?"
    r"(?P<interfaces>in[ \t]+out[ \t]+)?source[ \t]+destination[ \t]*\Z"
)

_NAMES = {*PROTOCOLS.values(), *OTHER_PROTOCOLS, "all", "ip"}
_PROTOCOL = "|".join(re.escape(name) for name in sorted(_NAMES, reverse=True))
_WORD = r"[^ \t\n]+"
_OTHER = r"(?!(?:--|-f|!f)[ \t])"  # than the words under opt
_HOST = rf"(?!\*[ \t]){_OTHER}{_WORD}"
_GAP = r"(?:[ \t]+|(?=--[ \t]))"  # a long protocol leaves no blank
_COUNT = r"\d+[KMGTP]?"
_FACTORS = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}


_BEGINNING = re.compile(
    rf"[ \t]*(?:num[ \t]|pkts[ \t]|target[ \t]|(?:\d+[ \t]+)?{_COUNT}[ \t]+{_COUNT}[ \t]"
    rf"|(?:\d+[ \t]+)?(?:{_WORD}[ \t]+)?!?(?:\d+|{_PROTOCOL}){_GAP}"
    r"(?:(?:--|-f|!f)[ \t]|[ \t]+(?:!?[\da-fA-F]*:|anywhere[ \t])))"
)


def begins_row(line: str) -> bool:
    """Whether a line begins as a row does, or the columns' names."""
    return _BEGINNING.match(line) is not None


class Header(Record):
    """The columns of a listing. Without `interfaces` (-v) it hides the conditions -i and -o."""

    numbers: bool
    counts: bool
    interfaces: bool

    @property
    def row(self) -> re.Pattern[str]:
        """The pattern of its rows, with groups `number packets bytes target protocol fragments in out source
        destination` and `details`; the target's group is None for a rule without one."""
        return _row_pattern(self.numbers, self.counts, self.interfaces)


def read_header(line: str) -> Header | None:
    """The columns named by a line; None if it is not a header."""
    found = _HEADER.match(line)
    if found is None:
        return None
    return Header(found["num"] is not None, found["counts"] is not None, found["interfaces"] is not None)


_GUESSES = (
    Header(True, True, True),
    Header(False, True, True),
    Header(True, False, False),
    Header(False, False, False),
)


def guess_header(row: str) -> Header | None:
    """The columns that a row seems to have if the header is missing; None if it is not a row."""
    return next((header for header in _GUESSES if header.row.match(row)), None)


def count(text: str) -> int:
    """A counter. Without -x, iptables prints numbers above 99,999 in thousands, and so on."""
    factor = _FACTORS.get(text[-1])
    return int(text) if factor is None else int(text[:-1]) * factor


@cache
def _row_pattern(numbers: bool, counts: bool, interfaces: bool) -> re.Pattern[str]:
    return re.compile(
        r"[ \t]*"
        + (r"(?P<number>\d+)[ \t]+" if numbers else r"(?P<number>)")
        + (rf"(?P<packets>{_COUNT})[ \t]+(?P<bytes>{_COUNT})[ \t]+" if counts else r"(?P<packets>)(?P<bytes>)")
        + rf"(?:(?P<target>[^ \t\n](?:[^\t\n]*?[^ \t\n])??)[ \t]+)??(?P<protocol>!?(?:\d+|{_PROTOCOL})){_GAP}"
        + r"(?:(?P<fragments>--|-f|!f)[ \t]+)?"
        + (rf"(?P<in>{_OTHER}{_WORD})[ \t]+(?P<out>{_OTHER}{_WORD})[ \t]+" if interfaces else r"(?P<in>)(?P<out>)")
        + rf"(?P<source>{_HOST})[ \t]+(?P<destination>{_HOST})"
        + r"(?:[ \t]+(?P<details>[^\n]*?))?[ \t]*\Z"
    )
