"""How the questions that a crowd's packets share read in full, for one of them: with its own addresses."""

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
    """Questions in full, by how packets share them. Others are the same, but for the places that they name."""

    def __init__(self, places: dict[str, str], questions: dict[str, str] | None = None) -> None:
        super().__init__(questions or {})
        self._places = places

    def __missing__(self, question: str) -> str:
        for shared, place in self._places.items():
            question = question.replace(shared, place)
        return question


def names_of(state: PacketState, sent: Heading, endpoints: Sequence[Heading | None] = ()) -> Names:
    """How a packet's questions read in full; `endpoints` are those of its Service, where questions name them."""
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
    """The same packet, with its original destination named in its answers."""
    if sent.address is None or not state.answers:
        return state
    names = names_of(state, sent)
    return state.with_answers(tuple([answer.naming(names) for answer in state.answers]))


def asks_of_bound(answers: Answers) -> bool:
    """Whether answers depend on where the packets are bound for: each packet is asked of another place."""
    return any(BOUND_PLACE in text for answer in answers for text, _ in answer.literals)


def with_named_bound(state: PacketState, to: Heading) -> PacketState:
    """The same packet, with where it is bound for named in its answers."""
    names = Names({BOUND_PLACE: place_text(to, state)})
    return state.with_answers(tuple([answer.naming(names) for answer in state.answers]))


def numbered(answers: Answers, place: int) -> Answers:
    """Answers of a packet that is bound for one of its Service's endpoints."""
    names = Names({BOUND_PLACE: _ENDPOINT.format(place)})
    return tuple([answer.naming(names) for answer in answers])
