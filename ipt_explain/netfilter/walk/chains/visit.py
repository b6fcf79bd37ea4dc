"""A visit: one chain, or chains of one layout, entered by a crowd in one state; what its packets meet there, and how
they got there.

A visit numbers its packets from 0; these numbers are its rows. A `Portion` is a share of some rows. Trails are linked
lists, so paths share their common part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ipt_explain.model import Chain
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import Probability, product
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.chains.evaluator import Crowd, Rows
from ipt_explain.netfilter.walk.columns import AlikeChains, picked
from ipt_explain.records import Record, field

Ground = Chain | AlikeChains
"""The chain that all rows of a visit are in, or each row's own."""


class Trail(Record, eq=False):
    """The latest rule that rows met in a chain, linked to those before it.

    `place` is the rule's number, one for all rows or one per row; None for the chain's policy. `inside` is what the
    rows met in the chain that they jumped to.
    """

    earlier: Trail | None
    place: int | Mapping[int, int] | None
    before: PacketState
    after: PacketState | None
    inside: Passage | None = None

    def place_of(self, row: int) -> int | None:
        """The number of a row's rule."""
        return self.place if self.place is None or isinstance(self.place, int) else self.place[row]


class Passage(Record, eq=False):
    """A trail through the visit of a callee. `rows` maps the caller's rows to the callee's; None if they are the
    same."""

    visit: Visit
    trail: Trail | None
    rows: Mapping[int, int] | None = None


class End(Record):
    """How packets end within a chain: their verdict and state. `reason` says what is unknown."""

    verdict: Verdict
    state: PacketState
    reason: str = ""


class Portion(Record, eq=False):
    """A share of some rows, all in one state, and how they got there. `rows` is None for all rows."""

    state: PacketState
    rows: Rows
    share: Probability
    via: Trail | None

    def numbers(self, count: int) -> Sequence[int]:
        """Its rows, in a visit of `count` rows."""
        return range(count) if self.rows is None else self.rows

    def at(self, rows: Sequence[int]) -> Portion:
        """The same portion with other rows of the visit."""
        return Portion(self.state, tuple(rows), self.share, self.via)

    def of(self, part: Rows) -> Portion:
        """The same portion with a part of its rows, counted within the portion."""
        if part is None:
            return self
        return self.at(part if self.rows is None else [self.rows[number] for number in part])

    def share_of(self, share: Probability) -> Portion:
        """The same portion with a share of its share."""
        return Portion(self.state, self.rows, product(self.share, share), self.via)


class Ended(Record, eq=False):
    """A portion that has ended. `to` is each row's new destination; None if destinations stay as they were."""

    end: End
    rows: Rows
    share: Probability
    via: Trail | None
    to: Sequence[Heading] | None = None


class Call(Record, eq=False):
    """A jump from a visit to a callee.

    `origin` maps the callee's rows to the caller's; None if they are the same. `shares` are the caller's packets that
    jump, and `place` is the rule's number, each one for all rows or one per row. `trail` is what packets met before;
    `before` is their state at the rule.
    """

    visit: Visit
    origin: Sequence[int] | None
    shares: Probability | Sequence[Probability]
    place: int | Sequence[int]
    trail: Trail | None
    before: PacketState

    def origin_of(self, row: int) -> int:
        """The caller's row of a row of the callee."""
        return row if self.origin is None else self.origin[row]

    def place_of(self, row: int) -> int:
        """The number of the rule that sent a row of the callee there."""
        return self.place if isinstance(self.place, int) else self.place[row]


class Visit(Record, frozen=False, eq=False):
    """A crowd in a chain. `who` has each row's packet, by its number in the table.

    `weights` are the shares of these packets that enter, one for all rows or one per row; `caller` is where most of
    them come from.
    """

    table: str
    ground: Ground
    state: PacketState
    who: Sequence[int]
    crowd: Crowd
    ended: list[Ended] = field(default_factory=list)
    returned: list[Portion] = field(default_factory=list)
    calls: list[tuple[Visit, Call]] = field(default_factory=list)
    weights: Probability | list[Probability] = 0.0
    caller: Call | None = None

    def forget_callees(self) -> None:
        """Drop everything but the caller: visits that refer to each other would be freed late."""
        self.ended.clear()
        self.returned.clear()
        self.calls.clear()

    def crowd_of(self, rows: Rows) -> Crowd:
        """The packets of some rows."""
        return self.crowd if rows is None else self.crowd.take(rows)

    def who_of(self, rows: Rows) -> Sequence[int]:
        """The packets of some rows, by their numbers in the table."""
        return self.who if rows is None else tuple(picked(self.who, rows))

    def chain(self, row: int) -> Chain:
        """The chain that a row is in."""
        return self.ground if isinstance(self.ground, Chain) else self.ground[row]
