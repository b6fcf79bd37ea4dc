"""Which rules jump, and where: one pass over a table, deciding once per shape."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from ipt_explain.model import Rule, Shape, Table, TargetKind

# libiptc refuses to create chains of these names, so they can never be jumps.
VERDICTS = frozenset({"ACCEPT", "DROP", "RETURN", "QUEUE"})


@dataclass(frozen=True, slots=True)
class Jump:
    """One edge of the chain graph: `rule`, which stands in `source`, hands packets to the chain `target`.

    With `goto` they do not come back behind the rule, but to where `source` itself was called from.
    """

    source: str
    target: str
    rule: Rule
    goto: bool


@dataclass(frozen=True, slots=True)
class JumpIndex:
    """The jumps of a table: by chain in rule order, and by target in the order of the text.

    Rules stand for jumps here; a 300,000-rule dump has as many, and a rule knows its own chain and target.
    Chains without jumps, and targets that nobody jumps to, are absent.
    """

    leaving: dict[str, list[Rule]]
    entering: dict[str, list[Rule]]


def index_jumps(table: Table) -> JumpIndex:
    """All jumps of `table`. Linear in its rules."""
    leaving: dict[str, list[Rule]] = {}
    entering: dict[str, list[Rule]] = {}
    chains = table.chains
    slot_of: dict[Shape, int | None] = {}
    fixed: dict[Shape, str] = {}
    for name, chain in chains.items():
        found: list[Rule] = []
        for rule in chain.rules:
            shape = rule.shape
            if shape in slot_of:
                slot = slot_of[shape]
            else:
                slot = slot_of[shape] = _jump_slot(shape)
                keyword = _keyword_chain(shape, chains)
                if keyword is not None:
                    fixed[shape] = keyword
            if slot is not None:
                target = rule.values[slot]
                if target in VERDICTS and target not in chains:
                    continue
                if shape.target and shape.target.options and target not in chains:
                    continue  # options: an extension that the grammar does not know
            elif shape in fixed:
                target = fixed[shape]
            else:
                continue
            found.append(rule)
            if target in entering:
                entering[target].append(rule)
            else:
                entering[target] = [rule]
        if found:
            leaving[name] = found
    return JumpIndex(leaving, entering)


def as_jump(rule: Rule) -> Jump:
    """A rule that the index holds, as a jump."""
    return Jump(rule.chain, rule.target or "", rule, rule.is_goto)


def jumps_of(rules: list[Rule]) -> Iterator[Jump]:
    """The rules of the index, as jumps."""
    return map(as_jump, rules)


def _jump_slot(shape: Shape) -> int | None:
    """The slot that names the target, where the grammar does not know the target as an extension."""
    return None if shape.target is None else shape.target.slot


def _keyword_chain(shape: Shape, chains: Container[str]) -> str | None:
    """The chain that an extension's name means here: a table may hold a chain called LOG (iptables-restore allows it),
    and `-j LOG` without options then jumps to it; `-g LOG` can mean nothing else."""
    target = shape.target
    if target is None or target.name is None or target.name in VERDICTS:
        return None
    if target.kind is TargetKind.GOTO or (not target.options and target.name in chains):
        return target.name
    return None
