"""set: IP sets, which rules only name. A set that is not in the input is a question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipt_explain.model import Match, Option
from ipt_explain.model.rule import unquote
from ipt_explain.netfilter.condition import (
    Answer,
    Column,
    Condition,
    Words,
    ask,
    described,
    place_text,
    shared_place,
)
from ipt_explain.netfilter.packet import Bound, Heading, PacketState
from ipt_explain.netfilter.truth import Truth

if TYPE_CHECKING:
    from ipt_explain.netfilter.condition import Bounds


def conditions(match: Match) -> list[Condition]:
    """set: whether the set has the packet's addresses and ports in the named directions."""
    if any(option.name == "--return-nomatch" for option in match.options):
        return conditions(match)
    found: list[Condition] = []
    for option in match.options:
        if option.name in ("--match-set", "--set"):
            found.append(_membership(option))
        elif option.name.startswith(("--packets", "--bytes")):
            found.append(described(match, option))
    return found


def _membership(option: Option) -> Condition:
    negated = option.negated

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        name, directions = words
        sets = state.node.sets
        held = Truth.UNKNOWN if sets is None else sets.holds(name, directions.split(","), state, bound.to)
        if held is not Truth.UNKNOWN:
            return held.inverted(negated)
        return ask(state, _set_question(name, directions, state, bound), negated)

    def at_once(columns: Sequence[Column], state: PacketState, bounds: Bounds) -> Answer | list[Answer] | None:
        name, directions = [unquote(each) if isinstance(each, str) else None for each in columns]
        sets, to = state.node.sets, bounds.to
        if name is None or directions is None:
            return None
        unknown = [Truth.UNKNOWN] * len(to)
        held = unknown if sets is None else sets.hold_each(name, directions.split(","), state, to)
        answers: dict[object, Answer] = {truth: truth.inverted(negated) for truth in (Truth.YES, Truth.NO)}
        if Truth.UNKNOWN not in held:
            return list(map(answers.__getitem__, held))
        found: list[Answer] = []
        for truth, bound in zip(held, map(Bound, to, bounds.sent)):
            asked = truth if truth is not Truth.UNKNOWN else shared_place(*bound[:2], state) or bound.to
            if asked not in answers:
                answers[asked] = ask(state, _set_question(name, directions, state, bound), negated)
            found.append(answers[asked])
        return found

    return Condition(option.slots, test, bound=True, sent=True, at_once=at_once)


def _set_question(name: str, directions: str, state: PacketState, bound: Bound) -> str:
    """The question whether a set holds a packet, as `--assume` takes it."""
    return f"-m set --match-set {name} {directions} ({_element(directions, state, bound)})"


def _element(directions: str, state: PacketState, bound: Bound) -> str:
    """What is looked up: addresses and ports by direction. Only the set's type shows which of them count."""
    source = place_text(Heading(state.source, state.source_port), state)
    destination = shared_place(bound.to, bound.sent, state) or place_text(bound.to, state)
    shown = {"src": f"src {source}", "dst": f"dst {destination}"}
    return "; ".join(dict.fromkeys(shown.get(direction, direction) for direction in directions.split(",")))
