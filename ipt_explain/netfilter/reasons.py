"""Why a rule does not match a packet: the conditions that fail, in the rule's own words."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from ipt_explain.model import Match, Option, Rule, Shape
from ipt_explain.netfilter.condition import Condition, option_text
from ipt_explain.netfilter.matches import compile_match
from ipt_explain.netfilter.matches.core import core_condition
from ipt_explain.netfilter.packet import Bound, PacketState
from ipt_explain.netfilter.truth import Truth

Part = tuple[Callable[[Rule], str], tuple[Condition, ...]]


def failing(rule: Rule, state: PacketState, bound: Bound, at_most: int | None = None) -> list[str]:
    """The conditions of a rule that the packet does not match, as `! -s 10.244.0.0/16` or `-m tcp --dport 80`.

    Conditions that are open questions or chances do not fail. Stops at `at_most`.
    """
    failed: list[str] = []
    for text, conditions in _parts(rule.shape):
        try:
            fails = any(_fails(condition, rule, state, bound) for condition in conditions)
        except (ValueError, IndexError):
            continue
        if fails:
            failed.append(text(rule))
            if len(failed) == at_most:
                break
    return failed


def _fails(condition: Condition, rule: Rule, state: PacketState, bound: Bound) -> bool:
    return condition.test(rule.words(condition.slots), state, bound._replace(line=rule.line)) is Truth.NO


def matching_count(rule: Rule) -> int:
    """How many conditions a rule has."""
    return len(_parts(rule.shape))


@lru_cache(maxsize=1024)
def _parts(shape: Shape) -> tuple[Part, ...]:
    parts: list[Part] = []
    for option in shape.core:
        condition = core_condition(option)
        if condition is not None:
            parts.append((_core_text(option), (condition,)))
    for match in shape.matches:
        conditions = tuple(compile_match(match))
        if conditions:
            parts.append((_match_text(match), conditions))
    return tuple(parts)


def _core_text(option: Option) -> Callable[[Rule], str]:
    return lambda rule: option_text(rule, option)


def _match_text(match: Match) -> Callable[[Rule], str]:
    return lambda rule: " ".join(["-m", match.module, *(option_text(rule, option) for option in match.options)])
