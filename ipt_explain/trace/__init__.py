"""One packet through every hook and table: where it can end up, how likely, and by which rules."""

from __future__ import annotations

from ipt_explain.netfilter.walk.path import AnyStep as Step
from ipt_explain.trace.outcome import Outcome
from ipt_explain.trace.packet import Packet
from ipt_explain.trace.result import Trace
from ipt_explain.trace.tracer import trace

__all__ = ["Outcome", "Packet", "Step", "Trace", "trace"]
