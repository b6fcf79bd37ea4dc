"""The rules that a packet met: stored as shared links during the walk, and listed only for packets that a caller asks
about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from ipt_explain.model import Chain, Rule
from ipt_explain.netfilter.packet import Bound, Heading, PacketState
from ipt_explain.netfilter.walk.chains.visit import Trail, Visit
from ipt_explain.records import Record

if TYPE_CHECKING:
    from ipt_explain.netfilter.walk.backends.ipvs_path import IpvsLeg, IpvsStep
    from ipt_explain.netfilter.walk.backends.nft_path import NftLeg, NftStep


class Step(Record):
    """One rule on a packet's path, or the policy that decided (`rule` is None).

    `before` is the packet's state at the rule, `after` its state once past it; None if it did not return from `into`,
    the chain jumped to. `bound` has its destinations at the rule, `to_after` the one after it. `depth` counts jumps.
    """

    table: str
    chain: Chain
    rule: Rule | None
    depth: int
    before: PacketState
    after: PacketState | None
    into: Chain | None
    bound: Bound
    to_after: Heading

    @property
    def line(self) -> int | None:
        """The line of the rule, or of the chain's declaration; None if the text has neither."""
        return (self.chain.line if self.rule is None else self.rule.line) or None

    @property
    def text(self) -> str:
        """The rule as iptables-save prints it; `:FORWARD DROP` for a policy."""
        return f":{self.chain.name} {self.chain.policy or 'ACCEPT'}" if self.rule is None else self.rule.text


class Leg(Record, eq=False):
    """A packet's path through one table: the visit in which it ended, its row there, what it met last, and its
    destination before and after the table."""

    visit: Visit
    row: int
    via: Trail | None
    bound: Bound
    to_after: Heading


AnyStep: TypeAlias = "Step | NftStep | IpvsStep"
"""A rule of iptables or nftables, or a virtual server."""

AnyLeg: TypeAlias = "Leg | NftLeg | IpvsLeg"
"""A packet's way through one of them."""


class Path(Record, eq=False):
    """A packet's whole path, stage by stage."""

    legs: tuple[AnyLeg, ...]

    def steps(self) -> tuple[AnyStep, ...]:
        """Every step, in order. A visit that the path repeats in the same state is listed once."""
        return tuple(
            step for leg in self.legs for step in (_table_steps(leg) if isinstance(leg, Leg) else leg.steps())
        )

    def enters(self, name: str) -> bool:
        """Whether the path enters a chain of this name, found without listing its steps."""
        for leg in self.legs:
            entered = _entered(leg) if isinstance(leg, Leg) else [step.into for step in leg.steps()]
            if any(chain is not None and chain.name == name for chain in entered):
                return True
        return False

    def last(self) -> AnyStep | None:
        """The step that ended the path in the last stage, if a rule or policy did."""
        leg = self.legs[-1]
        if not isinstance(leg, Leg):
            return leg.last()
        trail = leg.via
        return None if trail is None else _step(leg, leg.visit, leg.row, trail, 0, None)

    def last_met(self) -> AnyStep | None:
        """The same, or the jump to a chain of which nothing is known, if the path ends there."""
        leg = self.legs[-1]
        call = leg.visit.caller if isinstance(leg, Leg) and leg.via is None else None
        if call is None or not isinstance(leg, Leg):
            return self.last()
        jump = Trail(call.trail, call.place_of(leg.row), call.before, None)
        return _step(leg, call.visit, call.origin_of(leg.row), jump, 0, leg.visit.chain(leg.row))

    def untracking(self) -> AnyStep | None:
        """The last step that exempted the packet from connection tracking, or put it in a zone; None if none did."""
        return untracking(self.steps())


def untracking(steps: Sequence[AnyStep]) -> AnyStep | None:
    """The last step that exempted a packet from connection tracking, or put it in a zone; None if none did."""
    for step in reversed(steps):
        after, before = step.after, step.before
        if after is not None and step.into is None and (after.tracking, after.zones) != (before.tracking, before.zones):
            return step
    return None


def _levels(leg: Leg) -> list[tuple[Visit, int, Trail | None]]:
    """The nested chains in which a path through a table ends, outermost first, with what the packet met in each."""
    levels: list[tuple[Visit, int, Trail | None]] = []
    visit, row, trail = leg.visit, leg.row, leg.via
    while True:
        levels.append((visit, row, trail))
        call = visit.caller
        if call is None:
            break
        trail = Trail(call.trail, call.place_of(row), call.before, None)
        visit, row = call.visit, call.origin_of(row)
    levels.reverse()
    return levels


def _entered(leg: Leg) -> Iterator[Chain]:
    """The chains that a path through a table enters, in no particular order."""
    waiting = _levels(leg)
    yield from (visit.chain(row) for visit, row, _ in waiting[1:])
    seen: set[tuple[int, int]] = set()
    while waiting:
        _, row, trail = waiting.pop()
        while trail is not None:
            inside = trail.inside
            if inside is not None:
                seat = row if inside.rows is None else inside.rows[row]
                yield inside.visit.chain(seat)
                if (id(inside), seat) not in seen:
                    seen.add((id(inside), seat))
                    waiting.append((inside.visit, seat, inside.trail))
            trail = trail.earlier


def _table_steps(leg: Leg) -> list[Step]:
    """The steps through one table, from its built-in chain to where the path ends."""
    levels = _levels(leg)
    steps: list[Step] = []
    written: set[tuple[int, int]] = set()
    for depth, (level, number, last) in enumerate(levels):
        into = levels[depth + 1][0].chain(levels[depth + 1][1]) if depth + 1 < len(levels) else None
        _write(leg, level, number, last, into, depth, steps, written)
    return steps


def _write(
    leg: Leg, visit: Visit, row: int, trail: Trail | None, entered: Chain | None, depth: int, steps: list[Step],
    written: set[tuple[int, int]],
) -> None:  # fmt: skip
    """Append the steps of a visit. Its last step is a jump to `entered`, if that is given."""
    stack: list[tuple[Visit, int, list[Trail], int]] = [(visit, row, _links(trail), depth)]
    while stack:
        level, number, links, deep = stack[-1]
        if not links:
            stack.pop()
            continue
        link = links.pop()
        inside = link.inside
        into, seat = (entered if link.after is None else None), 0
        if inside is not None:
            seat = number if inside.rows is None else inside.rows[number]
            into = inside.visit.chain(seat)
        steps.append(_step(leg, level, number, link, deep, into))
        if inside is not None and (id(inside), seat) not in written:
            written.add((id(inside), seat))
            stack.append((inside.visit, seat, _links(inside.trail), deep + 1))


def _step(leg: Leg, visit: Visit, row: int, link: Trail, depth: int, into: Chain | None) -> Step:
    chain, place = visit.chain(row), link.place_of(row)
    rule = None if place is None else chain.rule(place)
    to_after = leg.to_after if link is leg.via else leg.bound.to
    return Step(visit.table, chain, rule, depth, link.before, link.after, into, leg.bound, to_after)


def _links(trail: Trail | None) -> list[Trail]:
    """The links of a trail, latest first."""
    links: list[Trail] = []
    while trail is not None:
        links.append(trail)
        trail = trail.earlier
    return links
