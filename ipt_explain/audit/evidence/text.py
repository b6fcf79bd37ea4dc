"""Faults that any ruleset can have, whoever wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.graph.lint.always_or_never import find_certain
from ipt_explain.graph.lint.misplaced import Misplaced, find_misplaced
from ipt_explain.graph.lint.repeated import Repetition, find_repetitions
from ipt_explain.graph.lint.shadowed import Shadow, find_shadows
from ipt_explain.graph.lint.unreadable import Unreadable, find_unreadable

if TYPE_CHECKING:
    from ipt_explain.graph.cycles import Cycle
    from ipt_explain.graph.jumps import Jump
    from ipt_explain.model import Rule
    from ipt_explain.netfilter.certainty.never import Certainty


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
def unreadable(context: RulesetContext) -> Sequence[Unreadable]:
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
