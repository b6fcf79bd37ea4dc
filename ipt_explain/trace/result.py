"""The result of a trace."""

from __future__ import annotations

from ipt_explain.model import Dump
from ipt_explain.netfilter.packet import Bound, PacketState
from ipt_explain.records import Record, field
from ipt_explain.trace.outcome import Ending, Outcome
from ipt_explain.trace.packet import Packet


class Trace(Record):
    """The outcomes of one packet, likeliest first. Their probabilities sum to 1. `warnings` report faults of the rules
    met."""

    packet: Packet
    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...]
    start: PacketState = field(repr=False)
    bound: Bound = field(repr=False)
    endings: tuple[Ending, ...] = field(repr=False)
    dump: Dump = field(repr=False)

    def to_json(self) -> str:
        """The trace as JSON of schema `ipt-explain/trace/1`."""
        from ipt_explain.errors import UsageError
        from ipt_explain.trace.judgement import addressee
        from ipt_explain.trace.trace_json import trace_json

        try:
            to = addressee(self.dump, self.packet, self.start, self.outcomes)
        except UsageError:  # the dump has no Services at all
            to = None
        return trace_json(self.packet, self.outcomes, self.warnings, to=to)
