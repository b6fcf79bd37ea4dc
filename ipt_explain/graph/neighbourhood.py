"""Parts of a chain graph: all of it, or some chains with those before and after them."""

from __future__ import annotations

from collections.abc import Iterable

from ipt_explain.graph.chains import ChainGraph
from ipt_explain.graph.jumps import Jump
from ipt_explain.records import Record


class Neighbourhood(Record):
    """Chains of one table, in the order of the text (missing ones last), and the jumps between them."""

    chains: tuple[str, ...]
    jumps: tuple[Jump, ...]


def whole(graph: ChainGraph) -> Neighbourhood:
    """All chains and jumps of a table."""
    chains = graph.table.chains
    jumps = tuple(jump for name in chains for jump in graph.jumps(name))
    missing = dict.fromkeys(jump.target for jump in graph.dangling)
    return Neighbourhood((*chains, *missing), jumps)


def neighbourhood(graph: ChainGraph, centres: Iterable[str]) -> Neighbourhood:
    """The chains that lead to `centres` and those that they lead to, without paths that bypass `centres`.

    A rule next to a jump to a centre, with the same comment, belongs to it: kube-proxy up to 1.21 marks a Service's
    packets like this. Linear in the rules of these chains.
    """
    middle = set(centres)
    below, above = graph.reachable_from(*middle), graph.leading_to(*middle)
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
