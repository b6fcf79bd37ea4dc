"""Faults that any ruleset can have, whoever wrote it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.graph.lint.always_or_never import find_certain
from ipt_explain.graph.lint.misplaced import Misplaced, find_misplaced
from ipt_explain.graph.lint.repeated import Repetition, find_repetitions
from ipt_explain.graph.lint.shadowed import Shadow, find_shadows
from ipt_explain.graph.lint.unreadable import UnreadableRules, find_unreadable

if TYPE_CHECKING:
    from ipt_explain.graph.cycles import Cycle
    from ipt_explain.graph.jumps import Jump
    from ipt_explain.model import Chain, Option, Rule, Shape, Table
    from ipt_explain.model.by_shape import RulesOfShape
    from ipt_explain.netfilter.certainty.never import Certainty

# What `-p` may say for each module: names and protocol numbers.
_NUMBERS = {"tcp": "6", "udp": "17", "sctp": "132", "dccp": "33", "udplite": "136"}


def redeclared(context: RulesetContext) -> Sequence[Table]:
    """Tables that have anything declared again; none if the line that names a table may be gone."""
    return [table for table in _tables(context) if table.redeclared and not context.lacks_lines]


def uncommitted(context: RulesetContext) -> Sequence[Table]:
    """Tables without COMMIT."""
    return [table for table in _tables(context) if not table.committed]


def _tables(context: RulesetContext) -> Collection[Table]:
    return context.ruleset.tables.values()


@fact
def dropping(context: RulesetContext) -> Sequence[Chain]:
    """Chains of nat with the policy DROP."""
    nat = context.table("nat")
    return [chain for chain in nat.chains.values() if chain.policy == "DROP"] if nat is not None else ()


@fact
def dangling(context: RulesetContext) -> Sequence[tuple[str, Jump]]:
    """Jumps to chains that do not exist, each with its table."""
    lacking = [name for name in context.ruleset.tables if (jumps := context.jumps(name)) is not None and jumps.missing]
    return [(name, jump) for name in lacking if (graph := context.graph(name)) is not None for jump in graph.dangling]


@fact
def loops(context: RulesetContext) -> Sequence[tuple[str, Cycle]]:
    """Chains that lead to each other, each group with its table."""
    return [(table, cycle) for table in context.ruleset.tables for cycle in context.cycles(table)]


@fact
def shadows(context: RulesetContext) -> Sequence[Shadow]:
    """Rules that hide later ones."""
    return list(find_shadows(context.ruleset, context.by_layout))


@fact
def repetitions(context: RulesetContext) -> Sequence[Repetition]:
    """Rules that occur more than once in a chain."""
    return list(find_repetitions(context.by_layout))


@fact
def unreadable(context: RulesetContext) -> Sequence[UnreadableRules]:
    """What iptables-save prints but iptables-restore cannot read."""
    return find_unreadable(context.ruleset, context.by_shape)


@fact
def misplaced(context: RulesetContext) -> Sequence[Misplaced]:
    """Targets that cannot be used where they are; none if the line that names the table may be gone."""
    return () if context.lacks_lines else find_misplaced(context.by_shape, context.jumps("nat"))


@fact
def certain(context: RulesetContext) -> Sequence[tuple[Rule, Certainty]]:
    """Rules with a condition that every packet satisfies, or none."""
    return list(find_certain(context.by_shape))


@fact
def without_protocol(context: RulesetContext) -> Sequence[tuple[Rule, str, Option]]:
    """Rules that match a port but not its protocol, with the match's module and option."""
    return [
        (rule, module, port)
        for shapes in context.by_shape.values()
        for shape, rules in shapes.items()
        for module, port in _ports(shape)
        for rule in _of_others(rules, shape.core_option("-p"), module)
    ]


def _ports(shape: Shape) -> Iterator[tuple[str, Option]]:
    """The first match of a port."""
    found = (
        (match.module, option) for match in shape.matches if match.module in _NUMBERS for option in match.options
        if option.name in ("--dport", "--sport", "--destination-port", "--source-port")
    )  # fmt: skip
    return islice(found, 1)


def _of_others(rules: RulesOfShape, protocol: Option | None, module: str) -> Collection[Rule]:
    """The rules that do not match a protocol."""
    if protocol is None or protocol.negated:
        return rules
    return rules.having(protocol.slots[0], lambda word: word not in (module, _NUMBERS[module], module.upper()))
