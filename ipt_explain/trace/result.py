"""What a trace answers."""

from __future__ import annotations

from ipt_explain.netfilter.packet import Bound, PacketState
from ipt_explain.records import dataclass, field
from ipt_explain.trace.outcome import Ending, Outcome
from ipt_explain.trace.packet import Packet


@dataclass(frozen=True, slots=True)
class Trace:
    """The outcomes of one packet, likeliest first. Their probabilities sum to 1. `warnings` say what was wrong with
    the rules met."""

    packet: Packet
    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...]
    start: PacketState = field(repr=False)
    bound: Bound = field(repr=False)
    endings: tuple[Ending, ...] = field(repr=False)

    def to_json(self) -> str:
        """The trace as JSON of schema `ipt-explain/trace/1`."""
        from ipt_explain.trace.trace_json import trace_json

        return trace_json(self.packet, self.outcomes, self.warnings)
