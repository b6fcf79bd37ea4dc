"""mark and connmark."""

from __future__ import annotations

from functools import lru_cache

from ipt_explain.model import Match, Option
from ipt_explain.netfilter.condition import Answer, Condition, Words, decided
from ipt_explain.netfilter.marks import parse_mark
from ipt_explain.netfilter.packet import Bound, PacketState
from ipt_explain.netfilter.truth import Truth

_mark = lru_cache(maxsize=32768)(parse_mark)


def conditions(match: Match) -> list[Condition]:
    """mark: the packet's mark under a mask. Packets enter without a mark, and we assume that the node's sockets set
    none. connmark: the connection's mark under a mask; fails without a connection, `!` or not (xt_connmark.c)."""
    if match.module == "connmark":
        return [_connection_mark(option) for option in match.options]
    return [decided(option, lambda words, state, bound: _mark(words[0]).fits(state.mark)) for option in match.options]


def _connection_mark(option: Option) -> Condition:
    negated = option.negated

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        if not state.tracked:
            return Truth.NO
        return Truth.of(_mark(words[0]).fits(state.connmark) is not negated)

    return Condition(option.slots, test)
