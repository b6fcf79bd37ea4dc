"""The routing decision: whether a packet is for the node itself or for others, or the kernel drops it.

Facts: net/ipv4/route.c (ip_route_input_slow, __mkroute_output), net/ipv6/ip6_input.c, and packets sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice

from ipt_explain.enums import Enum
from ipt_explain.model import Family
from ipt_explain.model.kernel import ADDRESS_BITS
from ipt_explain.netfilter.cached import cached
from ipt_explain.netfilter.condition import Answer, Question, ask, decide_own, split
from ipt_explain.netfilter.header import format_address
from ipt_explain.netfilter.packet import Heading, PacketState, addresses_of
from ipt_explain.netfilter.probability import ALWAYS, Probability
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.ends import Ends, Finish
from ipt_explain.netfilter.walk.packets import Travellers
from ipt_explain.netfilter.whereabouts import Address, is_loopback, is_multicast
from ipt_explain.records import Record

ROUTE_LOCALNET = "net.ipv4.conf.*.route_localnet is 1"
"""The question whether the node routes 127.0.0.0/8 to and from interfaces other than lo."""

_EVERYBODY = 0xFFFFFFFF  # 255.255.255.255
# First bytes of addresses with special routing: 0/8, loopback, multicast, broadcast.
_ODD = {Family.IPV4: frozenset({0, 127, *range(0xE0, 0xF0), 0xFF}), Family.IPV6: frozenset({0, 0xFF})}
_ALL_NODES = frozenset({0xFF01 << 112 | 1, 0xFF02 << 112 | 1})


class Where(Enum):
    """Where routing sends a packet."""

    HERE = "to the node itself"
    ELSEWHERE = "to others"
    NOWHERE = "dropped"
    REFUSED = "answered with an error"


class Course(Record):
    """Where a share of packets goes. `reason` says why the kernel stops them, if it does."""

    where: Where
    state: PacketState
    share: Probability = ALWAYS
    reason: str = ""


def _routes(
    state: PacketState, to: Sequence[Heading], rewritten: set[Address | None]
) -> Mapping[Address | None, Where | tuple[Course, ...]]:
    """The routing decision by address. Addresses that are known not to be the node's lead elsewhere, and are left out.

    Equal courses are one object. `rewritten` are addresses that packets were not originally sent to.
    """
    node, family = state.node, state.connection.family
    addresses = addresses_of(to)
    special, own = cached(to, _ODD_ONES[family]), addresses & node.local_addresses
    odd = special | own | (addresses & {*node.doubtful_addresses, state.connection.source})
    alike: frozenset[Address | None] = frozenset()  # these share one question
    here = own - special
    if isinstance(state.source, int) and is_loopback(state.source, family):
        asked, here = addresses, frozenset()
    elif state.destination_decided:
        asked = odd
    else:
        asked = addresses if node.local_addresses else addresses - node.foreign_addresses
        if not node.assumed:
            alike = asked - odd - rewritten - node.foreign_addresses
    known: dict[Address | None, Where | tuple[Course, ...]] = {}
    equal: dict[tuple[Course, ...], tuple[Course, ...]] = {}
    for address in (*islice(alike, 1), *(asked - alike - here)):
        found = _courses_to(state, address, None if state.destination_decided or address in rewritten else address)
        courses = equal.setdefault(found, found)
        known[address] = courses if len(courses) > 1 or courses[0].reason else courses[0].where
    known = dict.fromkeys(alike, next(iter(known.values()))) | known if alike else known
    return known | dict.fromkeys(here, Where.HERE) if here else known


def _odd_ones(family: Family, to: Sequence[Heading]) -> frozenset[Address | None]:
    """Addresses with special routing, and those that are unknown."""
    shift, odd = ADDRESS_BITS[family] - 8, _ODD[family]
    return frozenset([each for each in addresses_of(to) if type(each) is not int or each >> shift in odd])


_ODD_ONES = {family: partial(_odd_ones, family) for family in _ODD}


def _courses_to(state: PacketState, address: Address | None, sent: Address | None) -> tuple[Course, ...]:
    family, arrives = state.connection.family, not state.connection.local
    if address is None or not isinstance(address, int):
        return _by_ownership(state, address, sent)
    if not is_loopback(address, family):
        if address not in state.node.local_addresses and (
            is_multicast(address, family) or (family is Family.IPV4 and address == _EVERYBODY)
        ):
            return _group(state, address) if arrives else (Course(Where.ELSEWHERE, state),)
        if is_loopback(state.source, family):
            return _from_loopback(state, address, sent)
        return _by_ownership(state, address, sent)
    if not arrives:
        return (Course(Where.HERE, state),)
    if family is Family.IPV4:
        answer = ask(state, ROUTE_LOCALNET)
        reason = f"{_text(address, family)} is not routed from interfaces other than lo"
        return _either(answer, state, Where.HERE, reason)
    if state.destination_decided:
        return (Course(Where.REFUSED, state, reason="::1 is not routed from interfaces other than lo"),)
    return (Course(Where.NOWHERE, state, reason="packets to ::1 that come from other hosts are dropped"),)


def _from_loopback(state: PacketState, address: int, sent: Address | None) -> tuple[Course, ...]:
    """Packets from 127.0.0.0/8 to or from other hosts."""
    found: list[Course] = []
    for course in _by_ownership(state, address, sent):
        over_lo = course.where is Where.HERE and state.connection.local
        if over_lo or state.connection.family is not Family.IPV4:
            found.append(course)
            continue
        reason = f"from {_text(state.source, Family.IPV4)}, and 127.0.0.0/8 is routed over lo only"
        for further in _either(ask(course.state, ROUTE_LOCALNET), course.state, course.where, reason):
            found.append(Course(further.where, further.state, course.share * further.share, further.reason))
    return tuple(found)


def _group(state: PacketState, address: int) -> tuple[Course, ...]:
    """Multicast and broadcast packets that arrive: for the node itself, if it listens. Multicast routers are
    ignored."""
    if address in _ALL_NODES or not is_multicast(address, state.connection.family):
        return (Course(Where.HERE, state),)
    name = _text(address, state.connection.family)
    answer = ask(state, f"this node has joined {name}")
    return _either(answer, state, Where.HERE, f"nobody on this node has joined {name}")


def _by_ownership(state: PacketState, address: Address | None, sent: Address | None) -> tuple[Course, ...]:
    """If the node's addresses are unknown, an address chosen by NAT is treated as another machine's, unless in
    doubt."""
    if address is None:
        return (Course(Where.HERE, state),)
    chosen = state.destination_decided and state.owns(address) is Truth.UNKNOWN
    chosen = chosen and address not in state.node.doubtful_addresses
    answer = Truth.NO if chosen else decide_own(state, address, sent)
    return _courses(answer, state, Where.HERE, Where.ELSEWHERE, "")


def _either(answer: Answer, state: PacketState, where: Where, reason: str) -> tuple[Course, ...]:
    return _courses(answer, state, where, Where.NOWHERE, reason)


def _courses(answer: Answer, state: PacketState, yes: Where, no: Where, reason: str) -> tuple[Course, ...]:
    if isinstance(answer, Truth):
        return (Course(yes, state) if answer is Truth.YES else Course(no, state, reason=reason),)
    branches = split((answer,), state) if isinstance(answer, Question) else answer
    return tuple([
        Course(yes if branch.matches else no, branch.state, branch.share, "" if branch.matches else reason)
        for branch in branches
    ])


def _text(address: Address, family: Family) -> str:
    assert isinstance(address, int)
    return format_address(address, family)


_STOPPED = {Where.NOWHERE: Verdict.DROP, Where.REFUSED: Verdict.REJECT}


def routed(travellers: Travellers, ends: Ends, sent: Sequence[Heading]) -> tuple[Travellers, Travellers]:
    """The packets for the node itself, and the others; those that the kernel does not route end. `sent` has the
    original destination of each packet of the journey."""
    local, others = Travellers(), Travellers()
    for state, packets in travellers.items():
        rewritten: set[Address | None] = set()  # nat has not decided yet: no address is its choice
        if not state.destination_decided:
            rewritten = {to.address for who, to in zip(packets.who, packets.to) if to.address != sent[who].address}
        answers = _routes(state, packets.to, rewritten)
        if not answers:
            others.gather(state, packets)
            continue
        groups: dict[int, tuple[Where | tuple[Course, ...], list[int]]] = {}
        for row, to in enumerate(packets.to):
            answer = answers.get(to.address, Where.ELSEWHERE)
            groups.setdefault(id(answer), (answer, []))[1].append(row)
        for answer, rows in groups.values():
            for course in (Course(answer, state),) if isinstance(answer, Where) else answer:
                whole = course.share is ALWAYS and len(rows) == len(packets)
                part = packets if whole else packets.take(rows, course.share)
                if course.where in _STOPPED:
                    ends.add(Finish(_STOPPED[course.where], course.state, course.reason), part)
                else:
                    (local if course.where is Where.HERE else others).gather(course.state, part)
    return local, others
