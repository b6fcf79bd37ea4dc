"""Targets that the kernel refuses in their table, or from a hook that leads to them.

Facts: `.hooks` of the targets in net/netfilter/xt_*.c and net/ipv4/netfilter/ipt_*.c; libiptc's refusal
of DROP in nat ("not intended for filtering"), which iptables-nft has kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain

from ipt_explain.graph.jump_sets import JumpSets
from ipt_explain.graph.reach import reached_from
from ipt_explain.model import Rule, Shape
from ipt_explain.model.by_shape import RulesByShape, RulesOfShape
from ipt_explain.model.kernel import TABLE_OF_TARGET
from ipt_explain.records import Record
from ipt_explain.words import both

_NAT_HOOKS = {
    "DNAT": ("PREROUTING", "OUTPUT"),
    "REDIRECT": ("PREROUTING", "OUTPUT"),
    "MASQUERADE": ("POSTROUTING",),
    "SNAT": ("POSTROUTING", "INPUT"),
}
_HOOKS = ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")
_FEW = 16


class Misplaced(Record):
    """Rules with one target in one wrong place. `where` and `allowed` are words: "in table nat", "in table filter"."""

    target: str
    where: str
    allowed: str
    rules: tuple[Rule, ...]


def find_misplaced(rules_of: RulesByShape, nat: JumpSets | None) -> tuple[Misplaced, ...]:
    """Every misplaced target in the rules of a ruleset and the jumps of its table nat."""
    return tuple(_misplaced(rules_of, nat))


def _misplaced(rules_of: RulesByShape, nat: JumpSets | None) -> Iterator[Misplaced]:
    for table, shapes in rules_of.items():
        by_target = _by_target(shapes)
        for target, of_shapes in by_target.items():
            home, rules = TABLE_OF_TARGET.get(target), chain.from_iterable(of_shapes)
            if table == "nat" and target == "DROP":
                yield Misplaced(target, "in table nat", "in table filter", tuple(rules))
            elif home is not None and home != table:
                yield Misplaced(target, f"in table {table}", f"in table {home}", tuple(rules))
        if table == "nat" and nat is not None:
            yield from _from_wrong_hooks(nat, by_target)


def _by_target(shapes: Mapping[Shape, RulesOfShape]) -> dict[str, list[RulesOfShape]]:
    found: dict[str, list[RulesOfShape]] = {}
    for shape, rules in shapes.items():
        target = None if shape.target is None else shape.target.name
        if target is not None and (target in TABLE_OF_TARGET or target == "DROP"):
            found.setdefault(target, []).append(rules)
    return found


def _from_wrong_hooks(nat: JumpSets, by_target: Mapping[str, Sequence[RulesOfShape]]) -> Iterator[Misplaced]:
    for target, allowed in _NAT_HOOKS.items():
        rules = by_target.get(target, [])
        holders = frozenset().union(*[same.column(0) for same in rules])
        for hook in _HOOKS:
            if rules and hook not in allowed:
                reached = _reached(nat, hook, holders)
                if reached & holders:
                    wrong = tuple([rule for same in rules for rule in same.having(0, reached.__contains__)])
                    where = f"where {hook} leads to it"
                    yield Misplaced(target, where, f"from {both(allowed)} of table nat", wrong)


def _reached(nat: JumpSets, hook: str, holders: Collection[str]) -> frozenset[str]:
    """Chains on paths from a hook to `holders`; the search starts at `holders` if they are few."""
    chains = nat.table.chains
    if hook not in chains:
        return frozenset()
    if len(holders) <= _FEW:
        return frozenset(holder for holder in holders if nat.leads_to(hook, (holder,)))

    def onward(name: str) -> set[str]:
        chain = chains[name]
        return chains.keys() & map(chain.target_of, range(len(chain.layout)))

    return reached_from([hook], onward)
