"""The rules that a packet met: kept as shared links while tracing, written out for the outcomes alone."""

from __future__ import annotations

from ipt_explain.model import Chain, Rule
from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.walk.visit import Passage, Trail, Visit
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One rule on a packet's way, or the policy that decided where `rule` is None.

    `before` is the packet as it met the rule; `after` what it was behind it, None where it did not come back from
    the chain jumped to, which is `into`. `depth` counts jumps."""

    table: str
    chain: Chain
    rule: Rule | None
    depth: int
    before: PacketState
    after: PacketState | None = None
    into: Chain | None = None

    @property
    def line(self) -> int | None:
        """The line of the rule, or of the chain's declaration."""
        return self.chain.line if self.rule is None else self.rule.line

    @property
    def text(self) -> str:
        """The rule as iptables-save prints it; `:FORWARD DROP` for a policy."""
        return f":{self.chain.name} {self.chain.policy or 'ACCEPT'}" if self.rule is None else self.rule.text


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A whole way: through tables, the latest first."""

    earlier: Path | None
    passage: Passage

    def steps(self) -> tuple[Step, ...]:
        """Every step, in order. A visit that the way takes again in the same state is written out once."""
        passages: list[Passage] = []
        path: Path | None = self
        while path is not None:
            passages.append(path.passage)
            path = path.earlier
        steps: list[Step] = []
        for passage in reversed(passages):
            steps.extend(_table_steps(passage))
        return tuple(steps)


def _table_steps(passage: Passage) -> list[Step]:
    """The steps through one table, from its built-in chain to where the passage ends."""
    levels: list[tuple[Visit, Trail | None]] = []
    visit, trail = passage.visit, passage.trail
    while True:
        levels.append((visit, trail))
        caller = visit.caller
        if caller is None:
            break
        visit, trail = caller.visit, Trail(caller.trail, caller.rule, caller.before, None)
    levels.reverse()
    steps: list[Step] = []
    written: set[int] = set()
    for depth, (level, last) in enumerate(levels):
        into = levels[depth + 1][0].chain if depth + 1 < len(levels) else None
        _write(level, last, into, depth, steps, written)
    return steps


def _write(
    visit: Visit, trail: Trail | None, entered: Chain | None, depth: int, steps: list[Step], written: set[int]
) -> None:
    """Write out a visit, its last step being a jump to `entered` if that is a chain."""
    stack: list[tuple[Visit, list[Trail], int]] = [(visit, _links(trail), depth)]
    while stack:
        level, links, deep = stack[-1]
        if not links:
            stack.pop()
            continue
        link = links.pop()
        inside = link.inside
        into = inside.visit.chain if inside is not None else entered if link.after is None else None
        steps.append(Step(level.table, level.chain, link.rule, deep, link.before, link.after, into))
        if inside is not None and id(inside) not in written:
            written.add(id(inside))
            stack.append((inside.visit, _links(inside.trail), deep + 1))


def _links(trail: Trail | None) -> list[Trail]:
    """The links of a trail, latest first."""
    links: list[Trail] = []
    while trail is not None:
        links.append(trail)
        trail = trail.earlier
    return links
