"""One chain, entered in one state: what packets meet in it, and how they got there. Linked, so that ways share their
parts."""

from __future__ import annotations

from ipt_explain.model import Chain, Rule
from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.probability import Probability
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.portions import Portions
from ipt_explain.records import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class Trail:
    """The latest rule that a packet met in a chain, linked to those before. `inside` is what it met in the chain
    jumped to."""

    earlier: Trail | None
    rule: Rule | None
    before: PacketState
    after: PacketState | None
    inside: Passage | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """A trail through one visit of a chain."""

    visit: Visit
    trail: Trail | None


@dataclass(frozen=True, slots=True)
class End:
    """An end that packets meet within a chain: a fate, the state that they meet it in, and what is not known, if
    something is."""

    verdict: Verdict
    state: PacketState
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A jump from a visit. `trail` is what packets met before; `before` the state at the rule."""

    visit: Visit
    callee: Visit
    share: Probability
    trail: Trail | None
    rule: Rule
    before: PacketState


@dataclass(slots=True, eq=False)
class Visit:
    """One chain entered in one state. `weight` is the share of all packets that enter, `caller` where most of them
    come from."""

    table: str
    chain: Chain
    state: PacketState
    ends: Portions[End, Trail | None] = field(default_factory=Portions)
    returned: Portions[PacketState, Trail | None] = field(default_factory=Portions)
    calls: list[Call] = field(default_factory=list)
    weight: Probability = 0.0
    caller: Call | None = None
