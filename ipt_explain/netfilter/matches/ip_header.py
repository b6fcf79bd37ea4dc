"""ttl, hl, tos, dscp, u32, ecn: header fields that are unknown until a rule sets them."""

from __future__ import annotations

import operator
from collections.abc import Callable

from ipt_explain.model import Match, Option
from ipt_explain.netfilter.condition import Answer, Condition, Words, ask, decide, option_texts
from ipt_explain.netfilter.header.changes import UNCHANGED
from ipt_explain.netfilter.header.service_type import wanted_service_type
from ipt_explain.netfilter.marks import parse_integer
from ipt_explain.netfilter.packet import Bound, PacketState
from ipt_explain.netfilter.truth import Truth

_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "eq": operator.eq,
    "lt": operator.lt,
    "gt": operator.gt,
}


def conditions(match: Match) -> list[Condition]:
    """ttl, hl, tos and dscp are known once a rule has set them, and a question until then. u32, ecn and bpf may read
    anything: each change of the header makes a new question."""
    of = _BY_MODULE.get(match.module, _raw_bytes)
    return [of(match, option) for option in match.options]


def _hops(match: Match, option: Option) -> Condition:
    compare = _COMPARISONS[option.name.rpartition("-")[2] if option.name.count("-") > 2 else "eq"]
    text = _text(match, option)

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        header = state.header
        if header.hops is None:
            return ask(state, text(words) + header.hops_note, option.negated)
        return Truth.of(compare(header.hops, parse_integer(words[0])) is not option.negated)

    return Condition(option.slots, test)


def _tos(match: Match, option: Option) -> Condition:
    text = _text(match, option)

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        header = state.header
        if header is UNCHANGED:
            return ask(state, text(words), option.negated)
        value, mask = wanted_service_type(option.name, words[0])
        return decide(header.tos_is(value, mask), state, text(words) + header.tos_note(mask), option.negated)

    return Condition(option.slots, test)


def _raw_bytes(match: Match, option: Option) -> Condition:
    text = _text(match, option)

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        return ask(state, text(words) + _history(state, bound), option.negated)

    return Condition(option.slots, test, bound=True, sent=True)


def _history(state: PacketState, bound: Bound) -> str:
    """What a question adds about changes of the header."""
    header = state.header
    changed = {
        "DNAT": bound.to != bound.sent,
        "SNAT": state.source != state.connection.source,
        "TTL": header.hops is not None or header.hops_by != 0,
        "TOS": bool(header.tos_known | header.tos_flipped),
    }
    names = [name for name, has in changed.items() if has]
    return f" (after {' and '.join(names)})" if names else ""


def _text(match: Match, option: Option) -> Callable[[Words], str]:
    plain = Option(option.name, False, option.slots)
    return lambda words: f"-m {match.module} {next(option_texts((plain,), words))}".rstrip()


_BY_MODULE = {"ttl": _hops, "hl": _hops, "tos": _tos, "dscp": _tos}
