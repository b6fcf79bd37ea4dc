"""addrtype and iprange."""

from __future__ import annotations

from ipt_explain.model import Match, Option, Rule
from ipt_explain.netfilter.addresses import format_address, parse_range
from ipt_explain.netfilter.condition import Answer, Condition, ask
from ipt_explain.netfilter.packet import PacketState, is_broadcast, is_multicast
from ipt_explain.netfilter.truth import Truth


def own_address_question(address: int, state: PacketState) -> str:
    """The question whether the node bears an address: the same for addrtype and for routing."""
    return f"{format_address(address, state.connection.family)} is an address of this node"


def compile_addrtype(match: Match) -> list[Condition]:
    """addrtype: the kind of the source's and the destination's address, as the node's routing sees it."""
    conditions = [_type_of(option) for option in match.options if option.slots]
    if any(option.name.startswith("--limit-iface") for option in match.options):
        return [_on_interface(conditions, match)]
    return conditions


def _type_of(option: Option) -> Condition:
    slot, negated, source = option.slots[0], option.negated, option.name == "--src-type"

    def test(rule: Rule, state: PacketState) -> Answer:
        types = rule.values[slot].split(",")
        address = state.source if source else state.destination
        family = state.connection.family
        if is_multicast(address, family):
            return Truth.of(("MULTICAST" in types) is not negated)
        if is_broadcast(address, family):
            return Truth.of(("BROADCAST" in types) is not negated)
        # Any other address is LOCAL or UNICAST; a subnet's broadcast address is not known to be one.
        local, unicast = "LOCAL" in types, "UNICAST" in types
        if local is unicast:
            return Truth.of(local is not negated)
        owned = state.owns(address)
        if owned is Truth.UNKNOWN:
            return ask(state, own_address_question(address, state), invert=local is negated)
        return Truth.of(((owned is Truth.YES) is local) is not negated)

    return test


def _on_interface(conditions: list[Condition], match: Match) -> Condition:
    """With --limit-iface-in or -out, an address of the node counts as LOCAL only on that interface, which no dump tells."""

    def test(rule: Rule, state: PacketState) -> Answer:
        answers = [condition(rule, state) for condition in conditions]
        if Truth.NO in answers:
            return Truth.NO
        words = " ".join(f"{option.name} {','.join(rule.arguments(option))}".rstrip() for option in match.options)
        return ask(state, f"-m addrtype {words}")

    return test


def compile_iprange(match: Match) -> list[Condition]:
    """iprange: source or destination between two addresses, both included."""
    return [_in_range(option) for option in match.options]


def _in_range(option: Option) -> Condition:
    slot, negated, source = option.slots[0], option.negated, option.name == "--src-range"

    def test(rule: Rule, state: PacketState) -> Answer:
        first, last = parse_range(rule.values[slot])
        address = state.source if source else state.destination
        return Truth.of((first <= address <= last) is not negated)

    return test
