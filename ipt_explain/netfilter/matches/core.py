"""The rule's own conditions: -s, -d, -i, -o, -p, -f."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from ipt_explain.model import Option, Rule
from ipt_explain.netfilter.addresses import network_bits
from ipt_explain.netfilter.condition import Answer, Condition, ask, decide
from ipt_explain.netfilter.interfaces import interface_fits
from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.protocols import ANY, protocol_number
from ipt_explain.netfilter.truth import Truth

_network = lru_cache(maxsize=32768)(network_bits)


def core_condition(option: Option) -> Condition | None:
    """The test of one of the rule's own options; None for one that tests nothing."""
    compiler = _COMPILERS.get(option.name)
    return None if compiler is None else compiler(option)


def _source(option: Option) -> Condition:
    slot = option.slots[0]
    hit, miss = Truth.of(not option.negated), Truth.of(option.negated)

    def test(rule: Rule, state: PacketState) -> Answer:
        value, mask = _network(rule.values[slot])
        source = state.source
        if isinstance(source, int):
            return hit if source & mask == value else miss
        return decide(source.lies_in(value, mask), state, f"-s {rule.values[slot]}", option.negated)

    return test


def _destination(option: Option) -> Condition:
    slot = option.slots[0]
    hit, miss = Truth.of(not option.negated), Truth.of(option.negated)

    def test(rule: Rule, state: PacketState) -> Answer:
        if state.to_interface:
            return ask(state, f"-d {rule.values[slot]} (after REDIRECT)", option.negated)
        value, mask = network_bits(rule.values[slot])  # mostly seen once: a cache would only be filled
        destination = state.destination
        if isinstance(destination, int):
            return hit if destination & mask == value else miss
        return decide(destination.lies_in(value, mask), state, f"-d {rule.values[slot]}", option.negated)

    return test


def _in_interface(option: Option) -> Condition:
    slot, negated = option.slots[0], option.negated

    def test(rule: Rule, state: PacketState) -> Answer:
        pattern = rule.values[slot]
        if state.in_interface is None and pattern != "+":
            if pattern == "lo":
                return Truth.of(negated)  # what comes in over lo was sent by the node itself
            return ask(state, f"-i {pattern}", negated)
        return Truth.of(interface_fits(pattern, state.in_interface or "") is not negated)

    return test


def _out_interface(option: Option) -> Condition:
    slot, negated = option.slots[0], option.negated

    def test(rule: Rule, state: PacketState) -> Answer:
        pattern = rule.values[slot]
        if state.out_interface is None and pattern != "+":
            if pattern == "lo":
                return Truth.of(negated)  # what goes to the node itself is known to
            return ask(state, f"-o {pattern}", negated)
        return Truth.of(interface_fits(pattern, state.out_interface or "") is not negated)

    return test


def _protocol(option: Option) -> Condition:
    slot, negated = option.slots[0], option.negated
    numbers: dict[str, int | None] = {}

    def test(rule: Rule, state: PacketState) -> Answer:
        text = rule.values[slot]
        if text not in numbers:
            numbers[text] = protocol_number(text)
        number = numbers[text]
        if number is None:
            return ask(state, f"-p {text}", negated)
        return Truth.of((number in (ANY, state.connection.protocol)) is not negated)

    return test


def _fragment(option: Option) -> Condition:
    answer = Truth.of(option.negated)  # a connection's first packet is traced whole

    def test(rule: Rule, state: PacketState) -> Answer:
        return answer

    return test


_COMPILERS: dict[str, Callable[[Option], Condition]] = {
    "-s": _source,
    "-d": _destination,
    "-i": _in_interface,
    "-o": _out_interface,
    "-p": _protocol,
    "-f": _fragment,
}
