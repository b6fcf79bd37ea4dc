"""A quick look at whether chains of a table may lead in a circle.

The chain graph finds circles for certain, but walks every jump in order. Rulesets that a kernel holds have none, and
that can be told from the pairs of chains alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ipt_explain.model import Rule, Shape

# Chains nested deeper than this are left to the graph, which does not mind depth.
_ROUNDS = 64


def may_loop(shapes: Mapping[Shape, list[Rule]]) -> bool:
    """Whether a circle is possible among the rules of one table. No is certain.

    In a circle each chain jumps to one that jumps on. Jumps to chains that do not are taken away, until none is left
    or none goes; as many rounds as chains are deep.
    """
    jumps = list(_jumps(shapes))
    for _ in range(_ROUNDS):
        callers = {source for source, _ in jumps}
        left = [jump for jump in jumps if jump[1] in callers]
        if not left:
            return False
        if len(left) == len(jumps):
            return True
        jumps = left
    return True


def _jumps(shapes: Mapping[Shape, list[Rule]]) -> Iterator[tuple[str, str]]:
    """Chain and target of every rule that could be a jump."""
    for shape, rules in shapes.items():
        target = shape.target
        if target is None or (target.slot is None and target.options):
            continue
        if target.slot is not None:
            slot = target.slot
            yield from [(rule.values[0], rule.values[slot]) for rule in rules]
        elif target.name is not None:
            yield from [(rule.values[0], target.name) for rule in rules]
