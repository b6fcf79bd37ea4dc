"""tcp, udp, udplite, dccp, sctp, multiport, icmp, icmp6: the transport header of a connection's first packet."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import eq
from typing import TYPE_CHECKING

from ipt_explain.model import Match, Option
from ipt_explain.netfilter.cached import cached
from ipt_explain.netfilter.condition import Answer, Column, Condition, Words, ask, decided, described
from ipt_explain.netfilter.header import (
    HIGHEST_PORT,
    ICMP,
    ICMPV6,
    WITH_PORTS,
    parse_port_list,
    parse_port_range,
    protocol_number,
    within,
)
from ipt_explain.netfilter.packet import Bound, PacketState
from ipt_explain.netfilter.truth import Truth

if TYPE_CHECKING:
    from ipt_explain.netfilter.condition import Bounds
    from ipt_explain.netfilter.header.icmp import IcmpTypes

_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG")


def conditions(match: Match) -> list[Condition]:
    """multiport: one option, about ports of the source, the destination, or either. icmp and icmp6: the type, with or
    without a code. The others: the protocol, then each option."""
    match match.module:
        case "multiport":
            return [_multiport(option) for option in match.options if option.slots]
        case "icmp":
            from ipt_explain.netfilter.header.icmp import ICMP_TYPES

            return [_icmp(option, ICMP, ICMP_TYPES, any_type="255") for option in match.options]
        case "icmp6" | "icmpv6":
            from ipt_explain.netfilter.header.icmp import ICMPV6_TYPES

            return [_icmp(option, ICMPV6, ICMPV6_TYPES, any_type="any") for option in match.options]
        case _:
            return _of_transport(match)


def _of_transport(match: Match) -> list[Condition]:
    wanted = protocol_number(match.module)

    def right_protocol(words: Words, state: PacketState, bound: Bound) -> Answer:
        return Truth.of(state.connection.protocol == wanted)

    return [Condition((), right_protocol), *(_header_option(match, option) for option in match.options)]


def _header_option(match: Match, option: Option) -> Condition:
    if option.name in ("--dport", "--destination-port"):
        return _port(option, source=False)
    if option.name in ("--sport", "--source-port"):
        return _port(option, source=True)
    if option.name == "--syn":
        return decided(option, lambda words, state, bound: state.tcp_flags == {"SYN"})
    if option.name == "--tcp-flags":
        return decided(option, _flags_fit)
    if option.name == "--chunk-types":
        return decided(option, _chunk_types_fit)
    return described(match, option)


def _port(option: Option, source: bool) -> Condition:
    negated = option.negated

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        first, last = parse_port_range(words[0])
        port = state.source_port if source else bound.to.port
        if port is None and (first > 0 or last < 65535):
            return ask(state, f"{option.name} {words[0]}", negated)
        return Truth.of((port is None or first <= port <= last) is not negated)

    def at_once(columns: Sequence[Column], state: PacketState, bounds: Bounds) -> Answer | list[Answer] | None:
        """Ten thousand Services' rules each test for their own port, with a packet for it; or one node port's rule
        tests packets for many ports."""
        (ports,) = columns
        if source or negated:
            return None
        bound = [heading.port for heading in bounds.to]
        if None in bound:
            return None
        if not isinstance(ports, str):
            each = cached(ports, _each_port)
            return None if -1 in each else list(map(Truth.of, map(eq, each, bound)))
        wanted = _one_port(ports)
        if wanted < 0:
            return None
        fitting = bound.count(wanted)
        if 0 < fitting < len(bound):
            return [Truth.of(port == wanted) for port in bound]
        return Truth.of(fitting > 0)

    return Condition(option.slots, test, bound=not source, at_once=at_once)


@lru_cache(maxsize=8192)
def _one_port(text: str) -> int:
    port = int(text) if text.isdecimal() and len(text) < 6 else -1
    return port if port <= HIGHEST_PORT else -1


def _each_port(texts: Sequence[str]) -> Sequence[int]:
    return list(map(_one_port, texts))


def _flags_fit(words: Words, state: PacketState, bound: Bound) -> bool:
    mask, wanted = _flag_set(words[0]), _flag_set(words[1])
    return mask & state.tcp_flags == wanted


def _flag_set(text: str) -> set[str]:
    if text == "ALL":
        return set(_FLAGS)
    return set() if text == "NONE" else set(text.split(","))


def _chunk_types_fit(words: Words, state: PacketState, bound: Bound) -> bool:
    """xt_sctp.c: the packet's chunks include `all` or `any` of the types, or are `only` of them.

    Each packet has one chunk, without flags.
    """
    how, text = words
    types = set() if text == "NONE" else set(text.split(","))
    chunk = state.sctp_chunk
    return types <= {chunk} if how == "all" else chunk in types or text == "ALL"


def _multiport(option: Option) -> Condition:
    negated = option.negated
    source = option.name in ("--sports", "--source-ports", "--ports")
    destination = option.name in ("--dports", "--destination-ports", "--ports")

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        if state.connection.protocol not in WITH_PORTS:
            return Truth.NO
        ranges = parse_port_list(words[0])
        ports = [state.source_port] * source + [bound.to.port] * destination
        if any(port is not None and within(port, ranges) for port in ports):
            return Truth.of(not negated)
        if None in ports:
            return ask(state, f"{option.name} {words[0]}", negated)
        return Truth.of(negated)

    return Condition(option.slots, test, bound=destination)


def _icmp(option: Option, protocol: int, names: IcmpTypes, any_type: str) -> Condition:
    negated = option.negated

    def fits(text: str, state: PacketState) -> bool | None:
        if text in (any_type, "any"):
            return True
        kind, slash, code_text = text.partition("/")
        if kind.isdecimal():
            number, code = int(kind), int(code_text) if slash else None
        elif text in names:
            number, code = names[text]
        else:
            return None
        return number == state.connection.icmp_type and code in (None, state.connection.icmp_code)

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        if state.connection.protocol != protocol:
            return Truth.NO
        found = fits(words[0], state)
        if found is None:
            return ask(state, f"{option.name} {words[0]}", negated)
        return Truth.of(found is not negated)

    return Condition(option.slots, test)
