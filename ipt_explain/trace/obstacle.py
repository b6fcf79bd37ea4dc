"""What keeps a packet from an endpoint."""

from __future__ import annotations

from ipt_explain.enums import Enum
from ipt_explain.records import Record


class Obstacle(Enum):
    """How a rule keeps a packet from an endpoint."""

    STOPS = "stops it after it was sent there"
    DOES_NOT_MATCH = "does not match it, but would have to"
    COMES_FIRST = "takes it first"
    NONE_LEADS_THERE = "there is no rule that sends anything there"
    NO_WAY_IN = "no built-in chain leads to the rule"


class Reason(Record):
    """One rule in the way. `condition` is the part that fails; `rule` is None for a policy, or if there is no rule at
    all."""

    obstacle: Obstacle
    chain: str | None = None
    line: int | None = None
    rule: str | None = None
    condition: str | None = None
    table: str | None = None


class WhyNot(Record):
    """The chance that the packet gets to an endpoint, and the reasons why not."""

    endpoint: str
    probability: float
    reasons: tuple[Reason, ...]
