"""addrtype and iprange."""

from __future__ import annotations

from ipt_explain.model import Family, Match, Option, Rule
from ipt_explain.netfilter.addresses import parse_range
from ipt_explain.netfilter.condition import Answer, Condition, ask, decide
from ipt_explain.netfilter.packet import PacketState, is_broadcast, is_multicast
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Address, Whereabouts, address_text


def own_address_question(address: Address, family: Family) -> str:
    """The question whether the node bears an address: the same for addrtype and for routing."""
    return f"{address_text(address, family)} is an address of this node"


def compile_addrtype(match: Match) -> list[Condition]:
    """addrtype: the kind of the source's and the destination's address, as the node's routing sees it."""
    conditions = [_type_of(option) for option in match.options if option.slots]
    if any(option.name.startswith("--limit-iface") for option in match.options):
        return [_on_interface(conditions, match)]
    return conditions


def _type_of(option: Option) -> Condition:
    slot, negated, source = option.slots[0], option.negated, option.name == "--src-type"

    def test(rule: Rule, state: PacketState) -> Answer:
        types = frozenset(rule.values[slot].split(","))
        address = state.source if source else state.destination
        if state.to_interface and not source:
            return Truth.of(("LOCAL" in types) is not negated)
        told = _ipv4_type if state.connection.family is Family.IPV4 else _ipv6_type
        known, if_local = told(types, address, state.connection.family)
        if known is not None:
            return Truth.of(known is not negated)
        return decide(
            state.owns(address),
            state,
            own_address_question(address, state.connection.family),
            invert=if_local is negated,
        )

    return test


def _ipv4_type(types: frozenset[str], address: Address, family: Family) -> tuple[bool | None, bool]:
    """Whether an address is of one of the types; if None, whether it is depends on its being the node's, as the second
    says.

    An address has one type. A subnet's broadcast address is not known to be one.
    """
    if is_multicast(address, family):
        return "MULTICAST" in types, False
    if is_broadcast(address, family):
        return "BROADCAST" in types, False
    local, unicast = "LOCAL" in types, "UNICAST" in types
    return (local if local is unicast else None), local


def _ipv6_type(types: frozenset[str], address: Address, family: Family) -> tuple[bool | None, bool]:
    """As for IPv4, but an address must be of every type named, and one of the node's is UNICAST too (match_type6)."""
    if "MULTICAST" in types and not is_multicast(address, family):
        return False, False
    if "UNICAST" in types and (is_multicast(address, family) or address == 0):
        return False, False
    if "UNSPEC" in types and address != 0:
        return False, False
    if "LOCAL" in types:
        return None, True
    return types.isdisjoint({"ANYCAST", "UNREACHABLE"}), False


def _on_interface(conditions: list[Condition], match: Match) -> Condition:
    """With --limit-iface-in or -out, an address of the node counts as LOCAL only on that interface, which no dump
    tells."""

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
        if isinstance(address, Whereabouts):
            return ask(state, f"-m iprange {option.name} {rule.values[slot]}", negated)
        return Truth.of((first <= address <= last) is not negated)

    return test
