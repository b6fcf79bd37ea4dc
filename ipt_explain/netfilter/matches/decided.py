"""Conditions that every packet decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ipt_explain.model import Option
from ipt_explain.netfilter.condition import Answer, Condition, Words
from ipt_explain.netfilter.packet import Bound, PacketState
from ipt_explain.netfilter.truth import Truth

Holds: TypeAlias = Callable[[Words, PacketState, Bound], bool]


def decided(option: Option, holds: Holds, bound: bool = False, sent: bool = False) -> Condition:
    """The condition of one option. `holds` says whether a packet satisfies it, without the option's `!`; `bound` and
    `sent` are the Condition's."""
    negated = option.negated

    def test(words: Words, state: PacketState, to: Bound) -> Answer:
        return Truth.of(holds(words, state, to) is not negated)

    return Condition(option.slots, test, bound, sent=sent)
