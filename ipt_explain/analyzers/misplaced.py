"""Targets that stand in a table, or are reached from a hook, where the kernel refuses them.

Facts: `.table` and `.hooks` of the targets in net/netfilter/xt_*.c and net/ipv4/netfilter/ipt_*.c; libiptc's refusal
of DROP in nat ("not intended for filtering"), which iptables-nft has kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ipt_explain.analyzers.shapes import rules_by_shape
from ipt_explain.graph import ChainGraph
from ipt_explain.model import Rule, Ruleset, Shape

_TABLES = {
    "DNAT": "nat",
    "SNAT": "nat",
    "MASQUERADE": "nat",
    "REDIRECT": "nat",
    "NETMAP": "nat",
    "REJECT": "filter",
    "TPROXY": "mangle",
    "TTL": "mangle",
    "HL": "mangle",
    "DSCP": "mangle",
    "TOS": "mangle",
    "ECN": "mangle",
    "CHECKSUM": "mangle",
    "CT": "raw",
    "NOTRACK": "raw",
}
_NAT_HOOKS = {
    "DNAT": ("PREROUTING", "OUTPUT"),
    "REDIRECT": ("PREROUTING", "OUTPUT"),
    "MASQUERADE": ("POSTROUTING",),
    "SNAT": ("POSTROUTING", "INPUT"),
}
_HOOKS = ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")


@dataclass(frozen=True, slots=True)
class Misplaced:
    """Rules with one target in one wrong place. `where` and `allowed` are words: "in table nat", "in table filter"."""

    table: str
    target: str
    where: str
    allowed: str
    rules: tuple[Rule, ...]


def find_misplaced(ruleset: Ruleset) -> tuple[Misplaced, ...]:
    """Every target of a ruleset that stands where it must not."""
    return tuple(_misplaced(ruleset))


def _misplaced(ruleset: Ruleset) -> Iterator[Misplaced]:
    for table, shapes in rules_by_shape(ruleset).items():
        by_target = _by_target(shapes)
        for target, rules in by_target.items():
            home = _TABLES.get(target)
            if table == "nat" and target == "DROP":
                yield Misplaced(table, target, "in table nat", "in table filter", tuple(rules))
            elif home is not None and home != table:
                yield Misplaced(table, target, f"in table {table}", f"in table {home}", tuple(rules))
        if table == "nat" and not by_target.keys().isdisjoint(_NAT_HOOKS):
            yield from _from_wrong_hooks(ChainGraph.of(ruleset.tables[table], ruleset.form), by_target)


def _by_target(shapes: Mapping[Shape, list[Rule]]) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for shape, rules in shapes.items():
        if shape.target is not None and shape.target.name is not None:
            found.setdefault(shape.target.name, []).extend(rules)
    return found


def _from_wrong_hooks(graph: ChainGraph, by_target: Mapping[str, list[Rule]]) -> Iterator[Misplaced]:
    reached = {hook: graph.reachable_from(hook) for hook in _HOOKS}
    for target, allowed in _NAT_HOOKS.items():
        rules = by_target.get(target, [])
        for hook in _HOOKS:
            if rules and hook not in allowed:
                wrong = tuple(rule for rule in rules if rule.values[0] in reached[hook])
                if wrong:
                    where = f"where {hook} leads to it"
                    yield Misplaced("nat", target, where, f"from {' and '.join(allowed)} of table nat", wrong)
