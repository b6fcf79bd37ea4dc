"""What a fragment does not show: which of its chains the built-in ones lead to, as no rule of it does."""

from __future__ import annotations

from collections import defaultdict

from ipt_explain.model import Chain, Shape, Table
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.targets import is_nat
from ipt_explain.netfilter.walk.chains.evaluator import Evaluator


def unreached_chains(table: Table) -> list[Chain]:
    """The user chains of a table that no rule of it jumps to, in the order of the text."""
    targets = {chain.target_of(number) for chain in table.chains.values() for number in range(len(chain.layout.shapes))}
    built_in = {hook.value for hook in Hook}
    return [chain for name, chain in table.chains.items() if name not in targets and name not in built_in]


def rewriting_blindly(table: Table, evaluator: Evaluator) -> frozenset[str]:
    """The chains that rewrite addresses wherever a packet is bound for, themselves or through others, or may do so in
    chains that the text does not show: something that looks at the destination must lead to them, and no built-in
    chain does.
    """
    blind: dict[Shape, bool] = {}
    leads_on: dict[Shape, bool] = {}
    callers: dict[str, list[str]] = defaultdict(list)
    open_ends: list[str] = []
    for name, chain in table.chains.items():
        for number, shape in enumerate(chain.layout.shapes):
            if shape not in blind:
                leads_on[shape] = shape.target is not None and shape.target.slot is not None
                blind[shape] = not any(condition.bound for condition in evaluator.conditions(shape))
            target = chain.target_of(number)
            if blind[shape] and target is not None:
                if is_nat(target) or (leads_on[shape] and target not in table.chains):
                    open_ends.append(name)
                else:
                    callers[target].append(name)
    found: set[str] = set()
    while open_ends:
        name = open_ends.pop()
        if name not in found:
            found.add(name)
            open_ends.extend(callers[name])
    return frozenset(found)
