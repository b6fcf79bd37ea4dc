"""Gotos (`-g`) where packets must return to the rule after them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from ipt_explain.analyzers.names import MARK_DROP, MARK_MASQ, NODE_PORTS
from ipt_explain.enums import Enum
from ipt_explain.model import Rule, Ruleset, TargetKind
from ipt_explain.model.by_shape import RulesByShape
from ipt_explain.model.kernel import HOOKS
from ipt_explain.records import Record


class GotoPlace(Enum):
    """What the goto replaces."""

    HOOK = "a hook"
    MARK = "a call of a marking chain"
    NODE_PORTS = "the way to node ports"


class Goto(Record):
    """A goto, and how many rules of its chain returning packets skip."""

    table: str
    rule: Rule
    place: GotoPlace
    skipped: int


def misplaced_gotos(ruleset: Ruleset, shapes: RulesByShape) -> tuple[Goto, ...]:
    """All misplaced gotos, in the order of the text. `shapes` are the ruleset's rules by table and shape."""
    found = [
        goto
        for table, forms in shapes.items()
        for shape, rules in forms.items()
        if shape.target is not None and shape.target.kind is TargetKind.GOTO
        for goto in _judge(ruleset, table, rules)
    ]
    return tuple(sorted(found, key=lambda goto: goto.rule.line))


def _judge(ruleset: Ruleset, table: str, rules: Iterable[Rule]) -> Iterator[Goto]:
    for rule in rules:
        target = rule.target or ""
        place = _place(rule.chain, target) if target.startswith("KUBE-") else None
        chain = ruleset.chain(table, rule.chain)
        if place is not None and chain is not None:
            behind = len(chain.rules) - bisect_right(chain.rules, rule.line, key=lambda other: other.line)
            if behind or place is GotoPlace.HOOK:
                yield Goto(table, rule, place, behind)


def _place(chain: str, target: str) -> GotoPlace | None:
    if chain in HOOKS:
        return GotoPlace.HOOK
    if target in (MARK_MASQ, MARK_DROP):
        return GotoPlace.MARK
    return GotoPlace.NODE_PORTS if target == NODE_PORTS else None
