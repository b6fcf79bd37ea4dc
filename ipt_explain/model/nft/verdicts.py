"""What elements of sets carry as well as rules: verdicts and counters."""

from __future__ import annotations

from ipt_explain.enums import Enum
from ipt_explain.records import dataclass


class VerdictKind(Enum):
    """What becomes of a packet."""

    ACCEPT = "accept"
    DROP = "drop"
    CONTINUE = "continue"
    RETURN = "return"
    JUMP = "jump"
    GOTO = "goto"

    __hash__ = object.__hash__  # members are singletons; Enum's own hash is slow


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict, alone or as what a map gives. `chain` is where `jump` and `goto` lead."""

    kind: VerdictKind
    chain: str | None = None


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts. Without numbers it was read from a listing that does not show them (`nft -s`), or is another table's
    `name`."""

    packets: int | None = None
    bytes: int | None = None
    name: str | None = None
