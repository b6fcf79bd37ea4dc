"""Spells out the questions that a crowd's packets share, for one of the packets: with its own addresses."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.netfilter.assumptions import BOUND_PLACE, SENT_PLACE, Answers
from ipt_explain.netfilter.condition import (
    OWN_DESTINATION,
    OWN_SOURCE,
    own_address_question,
    place_text,
    source_question,
)
from ipt_explain.netfilter.packet import Heading, PacketState

_ENDPOINT = "the address and port of endpoint {} of its Service"


class Names(dict[str, str]):
    """Full questions by their shared form. Questions without an entry only have their places replaced."""

    def __init__(self, places: dict[str, str], questions: dict[str, str] | None = None) -> None:
        super().__init__(questions or {})
        self._places = places

    def __missing__(self, question: str) -> str:
        for shared, place in self._places.items():
            question = question.replace(shared, place)
        return question


def names_of(state: PacketState, sent: Heading, endpoints: Sequence[Heading | None] = ()) -> Names:
    """The full form of a packet's questions. `endpoints` are those of its Service, if questions refer to them."""
    address, family = sent.address, state.connection.family
    places = {
        _ENDPOINT.format(number): place_text(each, state) for number, each in enumerate(endpoints) if each is not None
    }
    if address is None:
        return Names(places)
    questions = {shared: text for text, shared in state.node.shared_questions.get(sent, {}).items()}
    questions[OWN_DESTINATION] = own_address_question(address, family)
    if isinstance(address, int):
        questions[OWN_SOURCE] = source_question(address, family)
    return Names(places | {SENT_PLACE: place_text(sent, state)}, questions)


def with_named_destination(state: PacketState, sent: Heading) -> PacketState:
    """The same packet, with its original destination spelled out in its answers."""
    if sent.address is None or not state.answers:
        return state
    names = names_of(state, sent)
    return state.with_answers(tuple([answer.naming(names) for answer in state.answers]))


def asks_of_bound(answers: Answers) -> bool:
    """Whether answers refer to the packets' current destinations, which differ from packet to packet."""
    return any(BOUND_PLACE in text for answer in answers for text, _ in answer.literals)


def with_named_bound(state: PacketState, to: Heading) -> PacketState:
    """The same packet, with its current destination spelled out in its answers."""
    names = Names({BOUND_PLACE: place_text(to, state)})
    return state.with_answers(tuple([answer.naming(names) for answer in state.answers]))


def numbered(answers: Answers, place: int) -> Answers:
    """A packet's answers, with its destination as number `place` of its Service's endpoints."""
    names = Names({BOUND_PLACE: _ENDPOINT.format(place)})
    return tuple([answer.naming(names) for answer in answers])
