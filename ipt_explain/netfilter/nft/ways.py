"""What a rule makes of packets: the ways on."""

from __future__ import annotations

from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import Probability
from ipt_explain.netfilter.targets import Flow, Verdict
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class Leap:
    """To another chain of the table. After a `goto` the packet does not come back to this one."""

    chain: str
    goto: bool


@dataclass(frozen=True, slots=True)
class Way:
    """A share of the packets that a rule was asked about, and what it makes of them.

    `then`: the packet's end in this base chain's hook (`ACCEPT` only ends this chain; those of later priority are still
    asked), back to the calling chain, on to the next rule, or into another chain. `matched` is False where a statement
    did not match, so that those behind it were not run. `state` and `to` are what the packet is then; `reason` says
    why a verdict is UNKNOWN.
    """

    share: Probability
    then: Verdict | Flow | Leap
    state: PacketState
    to: Heading
    matched: bool
    reason: str = ""
