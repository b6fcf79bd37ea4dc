"""ipvs: to which virtual server IPVS found a packet sent (xt_ipvs.c)."""

from __future__ import annotations

from ipt_explain.model import Match
from ipt_explain.netfilter.condition import Answer, Condition, Words, undecided
from ipt_explain.netfilter.header import network_bits
from ipt_explain.netfilter.packet import Bound, PacketState
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import lies_in
from ipt_explain.records import replace


def conditions(match: Match) -> list[Condition]:
    """One question; the answer is no if a packet was sent to another address or port."""
    (question,) = undecided(match)
    words_of = {option.name: question.slots.index(option.slots[0]) for option in match.options if not option.negated}
    address, port = words_of.get("--vaddr"), words_of.get("--vport")

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        to, at = bound.sent.address, bound.sent.port
        elsewhere = address is not None and to is not None and lies_in(to, *network_bits(words[address])) is Truth.NO
        if elsewhere or (port is not None and at is not None and words[port] != str(at)):
            return Truth.NO
        return question.test(words, state, bound)

    return [replace(question, test=test, bound=True, sent=True)]
