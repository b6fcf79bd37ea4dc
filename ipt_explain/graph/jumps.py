"""Which rules jump, and where: found in one pass over a table, with one decision per layout."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TypeAlias

from ipt_explain.model import Chain, Layout, Rule, Shape, Table, TargetKind
from ipt_explain.netfilter.targets import VERDICTS
from ipt_explain.records import Record

# Where rules of one shape jump: the slot that names the target, or the target itself if it is a chain; and whether only
# names of known chains count. An unknown target with options is an extension unless a chain has its name; an
# extension's name without options is a jump if the table has such a chain: iptables-restore allows one called LOG.
Aim: TypeAlias = tuple[int | None, str | None, bool]


class Jump(Record):
    """One edge of the chain graph: rule `number` (from 0) of `chain` sends packets to another chain. The rule is made
    only on demand."""

    chain: Chain
    number: int

    @property
    def source(self) -> str:
        """The chain that packets come from."""
        return self.chain.name

    @property
    def target(self) -> str:
        """The chain that packets go to."""
        return self.chain.target_of(self.number) or ""

    @property
    def goto(self) -> bool:
        """Whether packets return not to `source` but to its caller."""
        return self.chain.layout.is_goto(self.number)

    @property
    def line(self) -> int:
        """The rule's line."""
        return self.chain.line_of(self.number)

    @property
    def rule(self) -> Rule:
        """The rule itself."""
        return self.chain.rule(self.number)


class JumpIndex(Record):
    """The jumps of a table: by chain the numbers (from 0) of its rules that jump, and by target the chains and the
    numbers of such rules in the order of the text.

    It makes no rule objects: a dump has 300,000 rules, and most questions are about a few chains. Chains without jumps
    and chains without callers are absent.
    """

    leaving: dict[str, list[int]]
    entering: dict[str, list[tuple[Chain, int]]]


def index_jumps(table: Table) -> JumpIndex:
    """All jumps of `table`. Linear in its rules."""
    chains = table.chains
    leaving: dict[str, list[int]] = {}
    entering: dict[str, list[tuple[Chain, int]]] = {}
    aims: dict[Layout, list[tuple[int, Aim]]] = {}
    for name, chain in chains.items():
        layout, values = chain.layout, chain.values
        aiming = aims.get(layout)
        if aiming is None:
            aiming = aims[layout] = list(_aims(layout, chains))
        found: list[int] = []
        for number, (place, target, only_chains) in aiming:
            if place is not None:
                target = values[place]
                if (only_chains and target not in chains) or target in VERDICTS:
                    continue
            found.append(number)
            entering.setdefault(target or "", []).append((chain, number))
        if found:
            leaving[name] = found
    return JumpIndex(leaving, entering)


def _aims(layout: Layout, chains: Container[str]) -> Iterator[tuple[int, Aim]]:
    """Where the rules of a layout jump, by number, with places in `Chain.values` instead of slots."""
    known = {shape: aim_of(shape, chains) for shape in set(layout.shapes)}
    for number, (shape, start) in enumerate(zip(layout.shapes, layout.offsets)):
        slot, target, only_chains = known[shape]
        if slot is not None or target is not None:
            yield number, (None if slot is None else start + slot, target, only_chains)


def aim_of(shape: Shape, chains: Container[str]) -> Aim:
    """Where rules of a shape jump to, if they do."""
    target = shape.target
    if target is None:
        return None, None, False
    goto = target.kind is TargetKind.GOTO
    if target.slot is not None:
        return target.slot, None, bool(target.options) and not goto
    if target.name not in VERDICTS and (goto or (not target.options and target.name in chains)):
        return None, target.name, False
    return None, None, False
