"""Which rules jump, and where: one pass over a table, deciding once per shape."""

from __future__ import annotations

from collections.abc import Container
from typing import TypeAlias

from ipt_explain.model import Rule, Shape, Table, TargetKind
from ipt_explain.records import dataclass

# libiptc refuses to create chains of these names, so they can never be jumps.
VERDICTS = frozenset({"ACCEPT", "DROP", "RETURN", "QUEUE"})


# Where rules of one shape aim: the slot that names the target, or else the target itself if it is a chain, and whether
# only names of known chains count. An unknown target with options is an extension unless a chain has its name; an
# extension's name without options is a jump where the table holds such a chain: iptables-restore allows one called LOG.
Aim: TypeAlias = tuple[int | None, str | None, bool]


@dataclass(frozen=True, slots=True)
class Jump:
    """One edge of the chain graph: `rule`, of chain `source`, hands packets to the chain `target`.

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
    chains = table.chains
    leaving: dict[str, list[Rule]] = {}
    entering: dict[str, list[Rule]] = {}
    aims: dict[Shape, Aim] = {}
    for name, chain in chains.items():
        found: list[Rule] = []
        for rule in chain.rules:
            shape = rule.shape
            aim = aims.get(shape)
            if aim is None:
                aim = aims[shape] = aim_of(shape, chains)
            slot, target, only_chains = aim
            if slot is not None:
                target = rule.word(slot)
                if (only_chains and target not in chains) or target in VERDICTS:
                    continue
            elif target is None:
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


def aim_of(shape: Shape, chains: Container[str]) -> Aim:
    """Where rules of a shape jump to, if they do."""
    target = shape.target
    if target is None:
        return None, None, False
    goto = target.kind is TargetKind.GOTO
    if target.slot is not None:
        return target.slot, None, bool(target.options) and not goto
    if target.name not in VERDICTS and (goto or (not target.options and target.name in chains)):
        return None, target.name, False
    return None, None, False
