"""Verdicts and counters, which both rules and elements of sets can have."""

from __future__ import annotations

from ipt_explain.enums import Enum
from ipt_explain.records import Record


class VerdictKind(Enum):
    """What becomes of a packet."""

    ACCEPT = "accept"
    DROP = "drop"
    CONTINUE = "continue"
    RETURN = "return"
    JUMP = "jump"
    GOTO = "goto"


class Verdict(Record):
    """A verdict, in a rule or as the data of a map. `chain` is where `jump` and `goto` lead."""

    kind: VerdictKind
    chain: str | None = None


class Counter(Record):
    """Counts packets and bytes. The numbers are missing if the listing hides them (`nft -s`), or if it refers to a
    counter object by `name`."""

    packets: int | None = None
    bytes: int | None = None
    name: str | None = None
