"""Where packets ended up: what a trace answers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.probability import Probability
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.path import Path, Step


@dataclass(frozen=True)
class Outcome:
    """One way for the packet to end.

    `verdict` is ACCEPT where the packet is delivered or leaves the node, DROP, REJECT, or UNKNOWN. `dnat` is the
    destination that it was rewritten to and got to: None where it was not, and for packets dropped or rejected,
    which get nowhere. `masqueraded` tells whether its source was rewritten. `assumptions` are what it takes besides
    the dump: those that end in `=yes` or `=no` are one side of a question that was split evenly, and can be given to
    `trace(assume=...)` as they stand. `probability` counts each such side as half. `reason` is the one
    that an UNKNOWN verdict is for want of.
    """

    probability: float
    verdict: str
    dnat: str | None
    masqueraded: bool
    assumptions: tuple[str, ...]
    exact: Probability = field(repr=False)
    way: Path | None = field(repr=False, compare=False)
    delivered: bool | None = None
    reason: str = ""

    @cached_property
    def path(self) -> tuple[Step, ...]:
        """The rules that led there; of several ways, the likeliest."""
        return () if self.way is None else self.way.steps()

    @property
    def probability_if_so(self) -> float:
        """The chance of this outcome once its assumptions hold."""
        sides = sum(text.endswith(("=yes", "=no")) for text in self.assumptions)
        return math.ldexp(self.probability, sides)


@dataclass(frozen=True, slots=True, eq=False)
class Ending:
    """How some packets ended, before endings that read alike are merged into outcomes."""

    verdict: Verdict
    state: PacketState
    share: Probability
    way: Path | None
