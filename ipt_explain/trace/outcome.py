"""Outcomes of a trace: where packets end up."""

from __future__ import annotations

from fractions import Fraction

from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.ends import Finish, StoppedReply
from ipt_explain.netfilter.walk.packets import Packets
from ipt_explain.netfilter.walk.path import AnyStep
from ipt_explain.records import Record, field


class Outcome(Record):
    """One way for the packet to end.

    `endings` are the paths that led there, likeliest first: several rules may drop packets, each with a share.
    `verdict` is ACCEPT if the packet is delivered or leaves the node, DROP, REJECT, or UNKNOWN. `dnat` is the
    destination that it was rewritten to and reached: None if it was not, and for packets dropped or rejected.
    `masqueraded` says whether its source was rewritten. `assumptions` are conditions beyond the dump: those that end in
    `=yes` or `=no` answer a question, and can be passed to `trace(assume=...)` unchanged; for several interfaces
    (`-i cali1, cali2 or 108 more`), name one. `probability` counts each such answer as half, `weight` is the product of
    these. `reason` says why the verdict is UNKNOWN, or why the kernel itself stops the packet. `reply` is what stops
    the reply to a packet that arrives, if anything does.
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
    reply: StoppedReply | None = None
    weight: Fraction = field(default=ALWAYS, repr=False, compare=False)

    @property
    def path(self) -> tuple[AnyStep, ...]:
        """The rules on the likeliest path there."""
        return self.endings[0].steps if self.endings else ()

    @property
    def probability_if_so(self) -> float:
        """The chance of this outcome if its assumptions hold."""
        return float(self.exact / self.weight)


class Ending(Record, eq=False):
    """How some packets ended, before endings that look the same are merged into outcomes."""

    finish: Finish
    to: Heading
    share: Probability
    packets: Packets
    row: int
    _steps: tuple[AnyStep, ...] | None = field(default=None, repr=False)

    @property
    def verdict(self) -> Verdict:
        """The verdict on these packets."""
        return self.finish.verdict

    @property
    def state(self) -> PacketState:
        """The packets' state at the end."""
        return self.finish.state

    @property
    def steps(self) -> tuple[AnyStep, ...]:
        """The rules on the path, written out once."""
        steps = self._steps
        if steps is None:
            path = self.packets.path(self.row)
            steps = () if path is None else path.steps()
            object.__setattr__(self, "_steps", steps)
        return steps
