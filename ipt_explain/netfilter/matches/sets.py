"""set: IP sets, which rules only name. A set that is not in the input is a question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipt_explain.model import Match, Option
from ipt_explain.model.rule import unquote
from ipt_explain.netfilter.condition import Answer, Column, Condition, Words, ask, described
from ipt_explain.netfilter.header import WITH_PORTS, protocol_name
from ipt_explain.netfilter.packet import Bound, Heading, PacketState
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import address_text

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
    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        name, directions = words
        sets = state.node.sets
        held = Truth.UNKNOWN if sets is None else sets.holds(name, directions.split(","), state, bound.to)
        if held is not Truth.UNKNOWN:
            return held.inverted(option.negated)
        return ask(state, set_question(name, directions, state, bound.to), option.negated)

    def at_once(columns: Sequence[Column], state: PacketState, bounds: Bounds) -> Answer | list[Answer] | None:
        name, directions = columns
        sets = state.node.sets
        if sets is None or not isinstance(name, str) or not isinstance(directions, str):
            return None
        words = (unquote(name), unquote(directions))
        held = sets.hold_each(words[0], words[1].split(","), state, bounds.to)
        answers = {Truth.YES: Truth.YES.inverted(option.negated), Truth.NO: Truth.NO.inverted(option.negated)}
        if Truth.UNKNOWN not in held:
            return list(map(answers.__getitem__, held))
        return [
            answers[each] if each is not Truth.UNKNOWN else test(words, state, Bound(to, sent))
            for each, to, sent in zip(held, bounds.to, bounds.sent)
        ]

    return Condition(option.slots, test, bound=True, at_once=at_once)


def set_question(name: str, directions: str, state: PacketState, to: Heading) -> str:
    """The question whether a set holds a packet, as `--assume` takes it."""
    return f"-m set --match-set {name} {directions} ({_element(directions, state, to)})"


def _element(directions: str, state: PacketState, to: Heading) -> str:
    """What is looked up: addresses and ports by direction. Only the set's type shows which of them count."""
    family = state.connection.family
    source = address_text(state.source, family)
    destination = "an address of this node" if to.address is None else address_text(to.address, family)
    if state.connection.protocol in WITH_PORTS:
        protocol = protocol_name(state.connection.protocol)
        source += f",{protocol}:{'?' if state.source_port is None else state.source_port}"
        destination += f",{protocol}:{'?' if to.port is None else to.port}"
    shown = {"src": f"src {source}", "dst": f"dst {destination}"}
    return "; ".join(dict.fromkeys(shown.get(direction, direction) for direction in directions.split(",")))
