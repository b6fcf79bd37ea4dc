"""Part of a chain graph: all of it, or what leads to some chains and what they lead to."""

from __future__ import annotations

from collections.abc import Iterable

from ipt_explain.graph.chains import ChainGraph
from ipt_explain.graph.jumps import Jump
from ipt_explain.graph.reach import walk
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Chains of one table, in the order of the text (those that it lacks after them), and jumps between them."""

    chains: tuple[str, ...]
    jumps: tuple[Jump, ...]


def whole(graph: ChainGraph) -> Neighbourhood:
    """All chains and jumps of a table."""
    chains = graph.table.chains
    jumps = tuple(jump for name in chains for jump in graph.jumps(name))
    missing = dict.fromkeys(jump.target for jump in graph.dangling)
    return Neighbourhood((*chains, *missing), jumps)


def neighbourhood(graph: ChainGraph, centres: Iterable[str]) -> Neighbourhood:
    """The chains that lead to `centres`, and those that they lead to, without the ways that pass `centres` by.

    A rule beside a jump to a centre that has the same comment belongs to it: kube-proxy up to 1.21 marks a Service's
    packets so. Linear in the rules of the chains taken.
    """
    middle = set(centres)
    below = walk(middle, graph.targets)
    above = set(middle)
    for centre in middle:
        above |= graph.leading_to(centre)
    jumps: list[Jump] = []
    for name in graph.table.chains:
        if name in below:
            jumps += graph.jumps(name)
        elif name in above:
            leaving = graph.jumps(name)
            comments = {jump.rule.comment for jump in leaving if jump.target in above} - {None}
            jumps += [
                jump
                for jump in leaving
                if jump.target in above or (jump.target in below and jump.rule.comment in comments)
            ]
    taken = above | below
    known = [name for name in graph.table.chains if name in taken]
    return Neighbourhood((*known, *sorted(taken.difference(known))), tuple(jumps))
