"""addrtype and iprange."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipt_explain.model import Family, Match, Option
from ipt_explain.model.kernel import ADDRESS_BITS
from ipt_explain.model.rule import unquote
from ipt_explain.netfilter.cached import cached
from ipt_explain.netfilter.condition import Answer, Column, Condition, Words, ask, decide, decide_own, slots_of
from ipt_explain.netfilter.header import parse_range
from ipt_explain.netfilter.packet import Bound, Heading, PacketState, addresses_of, known_addresses_of
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Address, is_broadcast, is_loopback, is_multicast

if TYPE_CHECKING:
    from ipt_explain.netfilter.condition import Bounds


def conditions(match: Match) -> list[Condition]:
    """addrtype and iprange."""
    return _addrtype_conditions(match) if match.module == "addrtype" else [_in_range(each) for each in match.options]


def _addrtype_conditions(match: Match) -> list[Condition]:
    """addrtype: the type that the node's routing gives to the source's or destination's address."""
    conditions = [_type_of(option) for option in match.options if option.slots]
    if any(option.name.startswith("--limit-iface") for option in match.options):
        return [_on_interface(match)]
    return conditions


def _type_of(option: Option) -> Condition:
    negated, source = option.negated, option.name == "--src-type"

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        types = frozenset(words[0].split(","))
        address = state.source if source else bound.to.address
        if address is None:  # an address of the interface that the packet arrived on
            return Truth.of(("LOCAL" in types) is not negated)
        known, if_local = _type_known(types, address, state.connection.family)
        if known is not None:
            return Truth.of(known is not negated)
        return decide_own(state, address, None if source else bound.sent.address, invert=if_local is negated)

    def at_once(columns: Sequence[Column], state: PacketState, bounds: Bounds) -> Answer | list[Answer] | None:
        """The node owns no address to which it forwards packets, so that ten thousand of them are alike. Else they are
        by their addresses: most are node ports on one."""
        (types,), to = columns, bounds.to
        if not isinstance(types, str):
            return None
        words = (unquote(types),)
        if state.owns_none(addresses_of(to)) and cached(to, _plain_unicast, state.connection.family):
            return test(words, state, Bound(to[0], to[0]))
        found: list[Answer] = []
        known: dict[tuple[Address | None, bool], Answer] = {}
        for heading, sent in zip(to, bounds.sent):
            about = heading.address, heading.address == sent.address
            if about not in known:
                known[about] = test(words, state, Bound(heading, sent))
            found.append(known[about])
        return found

    return Condition(option.slots, test, bound=not source, sent=not source, at_once=None if source else at_once)


# First bytes of addresses that routing may treat specially.
_SPECIAL = {Family.IPV4: frozenset({0, 127, *range(0xE0, 0xF0), 0xFF}), Family.IPV6: frozenset({0, 0xFF})}


def _plain_unicast(to: Sequence[Heading], family: Family) -> bool:
    """Whether packets go to known unicast addresses, which every node routes alike."""
    addresses, rest = known_addresses_of(to), ADDRESS_BITS[family] - 8
    return addresses is not None and _SPECIAL[family].isdisjoint({address >> rest for address in addresses})


def _type_known(types: frozenset[str], address: Address | None, family: Family) -> tuple[bool | None, bool]:
    """Whether an address is of one of the types (of every one in IPv6). If None, that depends on whether it is the
    node's: the second value is the answer if it is. None is an address of an interface of the node."""
    if address is None:
        return None, "LOCAL" in types
    return (_ipv4_type if family is Family.IPV4 else _ipv6_type)(types, address, family)


def _ipv4_type(types: frozenset[str], address: Address, family: Family) -> tuple[bool | None, bool]:
    """An address has one type. A subnet's broadcast address is not recognized."""
    if is_multicast(address, family):
        return "MULTICAST" in types, False
    if is_broadcast(address, family):
        return "BROADCAST" in types, False
    local, unicast = "LOCAL" in types, "UNICAST" in types
    return (local if local is unicast else None), local


def _ipv6_type(types: frozenset[str], address: Address, family: Family) -> tuple[bool | None, bool]:
    """An address must be of every type named, and the node's are also UNICAST (match_type6)."""
    if "MULTICAST" in types and not is_multicast(address, family):
        return False, False
    if "UNICAST" in types and (is_multicast(address, family) or address == 0):
        return False, False
    if "UNSPEC" in types and address != 0:
        return False, False
    if "LOCAL" in types:
        return None, True
    return types.isdisjoint({"ANYCAST", "UNREACHABLE"}), False


def _on_interface(match: Match) -> Condition:
    """With --limit-iface-in or -out, the node's addresses are LOCAL only on that interface, and otherwise UNICAST."""
    limits_out = any(option.name == "--limit-iface-out" for option in match.options)

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        given = iter(words)
        texts: list[str] = []
        answers: list[Truth] = []
        interface = state.out_interface if limits_out else state.in_interface
        for option in match.options:
            own = tuple(next(given) for _ in option.slots)
            negation = "! " if option.negated else ""
            texts.append(f"{negation}{option.name} {','.join(own)}".rstrip())
            if own:
                address = state.source if option.name == "--src-type" else bound.to.address
                known, if_local = _type_known(frozenset(own[0].split(",")), address, state.connection.family)
                holds = _has(state, interface, address).inverted(not if_local) if known is None else Truth.of(known)
                answers.append(holds.inverted(option.negated))
        if Truth.NO in answers:
            return Truth.NO
        return ask(state, f"-m addrtype {' '.join(texts)}") if Truth.UNKNOWN in answers else Truth.YES

    return Condition(slots_of(match), test, bound=True)


def _has(state: PacketState, interface: str | None, address: Address | None) -> Truth:
    """Whether an interface of the node has an address. None is an address of the interface that a packet arrived on."""
    if address is None:
        return Truth.of(interface == state.in_interface) if interface is not None else Truth.UNKNOWN
    if state.owns(address) is Truth.NO:
        return Truth.NO
    holders = {name for name, first in state.node.first_addresses if first == address}
    if is_loopback(address, state.connection.family):
        holders.add("lo")
    return Truth.of(interface in holders) if holders and interface is not None else Truth.UNKNOWN


def _in_range(option: Option) -> Condition:
    """iprange: source or destination between two addresses, both included."""
    negated, source = option.negated, option.name == "--src-range"

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        first, last = parse_range(words[0])
        address = state.source if source else bound.to.address
        if isinstance(address, int):
            return Truth.of((first <= address <= last) is not negated)
        within = Truth.UNKNOWN if address is None else address.lies_between(first, last)
        return decide(within, state, f"-m iprange {option.name} {words[0]}", negated)

    return Condition(option.slots, test, bound=not source)
