"""Where packets ended up: what a trace answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.ends import Finish
from ipt_explain.netfilter.walk.flock import Flock
from ipt_explain.netfilter.walk.path import AnyStep, Path


@dataclass(frozen=True)
class Outcome:
    """One way for the packet to end.

    `endings` are the ways that led there, likeliest first: several rules may drop packets, and each has its share.
    `verdict` is ACCEPT where the packet is delivered or leaves the node, DROP, REJECT, or UNKNOWN. `dnat` is the
    destination that it was rewritten to and got to: None where it was not, and for packets dropped or rejected,
    which get nowhere. `masqueraded` tells whether its source was rewritten. `assumptions` are what it takes besides
    the dump: those that end in `=yes` or `=no` are one side of a question, and can be given to `trace(assume=...)` as
    they stand; of many interfaces (`-i cali1, cali2 or 108 more`), name one. `probability` counts each such side as
    half, `weight` is what all of them come to. `reason` is the one that an UNKNOWN verdict is for want of, or why the
    kernel itself stops the packet.
    """

    probability: float
    verdict: str
    dnat: str | None
    masqueraded: bool
    assumptions: tuple[str, ...]
    exact: Probability = field(repr=False)
    endings: tuple[Ending, ...] = field(repr=False, compare=False)
    delivered: bool | None = None
    reason: str = ""
    weight: Fraction = field(default=ALWAYS, repr=False, compare=False)

    @cached_property
    def path(self) -> tuple[AnyStep, ...]:
        """The rules that led there; of several ways, the likeliest."""
        return self.endings[0].steps if self.endings else ()

    @property
    def probability_if_so(self) -> float:
        """The chance of this outcome once its assumptions hold."""
        return float(self.exact / self.weight)


@dataclass(frozen=True, eq=False)
class Ending:
    """How some packets ended, before endings that read alike are merged into outcomes."""

    finish: Finish
    to: Heading
    share: Probability
    flock: Flock
    row: int

    @property
    def verdict(self) -> Verdict:
        """What became of them."""
        return self.finish.verdict

    @property
    def state(self) -> PacketState:
        """What they were like at their end."""
        return self.finish.state

    @cached_property
    def steps(self) -> tuple[AnyStep, ...]:
        """The rules that led there."""
        way = self.way
        return () if way is None else way.steps()

    @property
    def way(self) -> Path | None:
        """The rules that led there."""
        return self.flock.path(self.row)
