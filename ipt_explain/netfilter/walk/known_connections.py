"""Whether any rule may stop packets of known connections. If none may, replies need not be followed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipt_explain.model import Rule, Ruleset, Shape, Table
from ipt_explain.netfilter.hooks import is_built_in
from ipt_explain.netfilter.marks import MARKING_TARGETS, mark_test
from ipt_explain.netfilter.targets import changes_nothing

_MOST_RULES = 1_000  # of a node with more rules, some are assumed to stop them
_PASSING = frozenset({"ACCEPT", "RETURN", "MARK", "CONNMARK", "CT", "TOS", "DSCP"})
_STATES = (("conntrack", "--ctstate"), ("state", "--state"))
_KNOWN = ("ESTABLISHED", "DNAT", "SNAT")
_UNTRACKED = ("INVALID",)
"""What `--ctstate` may see of such a packet: after connection tracking, and before, in raw. It always sees the first.
"""


def may_stop_known(rulesets: Sequence[Ruleset]) -> bool:
    """Whether rules or policies outside nat may stop packets of established connections. The rulesets must be
    complete."""
    tables = [table for ruleset in rulesets for name, table in ruleset.tables.items() if name != "nat"]
    marked = any(shape.target is not None and shape.target.name in MARKING_TARGETS for shape in _shapes(tables))
    return any(_stops(table, marked) for table in tables)


def _shapes(tables: Iterable[Table]) -> set[Shape]:
    layouts = {chain.layout for table in tables for chain in table.chains.values()}
    return {shape for layout in layouts for shape in layout.shapes}


def _stops(table: Table, marked: bool) -> bool:
    """Whether packets that enter from the built-in chains may meet a rule that stops them."""
    states = _UNTRACKED if table.name == "raw" else _KNOWN
    waiting = [chain for name, chain in table.chains.items() if is_built_in(table.name, name)]
    seen, left = set(waiting), _MOST_RULES
    if any(chain.policy == "DROP" for chain in waiting):
        return True
    while waiting:
        chain = waiting.pop()
        left -= len(chain.layout)
        if left < 0:
            return True
        for number, shape in enumerate(chain.layout.shapes):
            target = chain.target_of(number)
            passing = target in _PASSING and not _tracks_elsewhere(shape)
            if changes_nothing(shape) or passing or not _met(chain.rule(number), marked, states):
                continue
            into = table.chains.get(target or "")
            if into is None:
                return True
            if into not in seen:
                seen.add(into)
                waiting.append(into)
    return False


def _tracks_elsewhere(shape: Shape) -> bool:
    """Whether a CT target exempts packets from connection tracking, or puts them in a zone."""
    target = shape.target
    return target is not None and any(each.name.startswith(("--notrack", "--zone")) for each in target.options)


def _met(rule: Rule, marked: bool, states: Sequence[str]) -> bool:
    """Whether such packets get past a rule's conditions on connection state and mark; only `marked` packets have a
    mark."""
    mark = mark_test(rule)
    if mark is not None and not marked and not mark.passes(0):
        return False
    for module, name in _STATES:
        option = rule.shape.match_option(module, name)
        words = rule.first(option)
        if option is not None and words is not None:
            named = frozenset(words.split(","))
            return states[0] not in named if option.negated else not named.isdisjoint(states)
    return True
