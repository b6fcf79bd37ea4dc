"""What each match module asks of a packet, compiled once a shape.

A module is a function of a match that returns its conditions in the kernel's order. A module without one is a
question that only the user can answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ipt_explain.model import Hidden, Match, Shape
from ipt_explain.netfilter.condition import Answer, Condition, Words, ask
from ipt_explain.netfilter.matches.addressing import compile_addrtype, compile_iprange
from ipt_explain.netfilter.matches.chance import compile_statistic
from ipt_explain.netfilter.matches.core import core_condition
from ipt_explain.netfilter.matches.ip_header import compile_hops, compile_raw_bytes, compile_tos
from ipt_explain.netfilter.matches.marked import compile_connmark, compile_mark
from ipt_explain.netfilter.matches.origin import compile_mac, compile_physdev, compile_pkttype, compile_socket_owner
from ipt_explain.netfilter.matches.sets import compile_set
from ipt_explain.netfilter.matches.tracking import compile_conntrack, compile_state
from ipt_explain.netfilter.matches.transport import (
    compile_icmp,
    compile_icmp6,
    compile_multiport,
    compile_transport,
)
from ipt_explain.netfilter.matches.undecided import compile_undecided
from ipt_explain.netfilter.matches.visits import compile_recent
from ipt_explain.netfilter.packet import Bound, PacketState

__all__ = ["MODULES", "compile_match", "compile_shape"]


def _nothing(match: Match) -> list[Condition]:
    return []


MODULES: Mapping[str, Callable[[Match], list[Condition]]] = {
    "addrtype": compile_addrtype,
    "bpf": compile_raw_bytes,
    "cgroup": compile_socket_owner,
    "comment": _nothing,
    "connmark": compile_connmark,
    "conntrack": compile_conntrack,
    "dccp": compile_transport,
    "dscp": compile_tos,
    "ecn": compile_raw_bytes,
    "hl": compile_hops,
    "icmp": compile_icmp,
    "icmp6": compile_icmp6,
    "icmpv6": compile_icmp6,
    "iprange": compile_iprange,
    "mac": compile_mac,
    "mark": compile_mark,
    "multiport": compile_multiport,
    "nfacct": _nothing,  # counts, and matches always
    "owner": compile_socket_owner,
    "physdev": compile_physdev,
    "pkttype": compile_pkttype,
    "recent": compile_recent,
    "sctp": compile_transport,
    "set": compile_set,
    "state": compile_state,
    "statistic": compile_statistic,
    "tcp": compile_transport,
    "tos": compile_tos,
    "ttl": compile_hops,
    "u32": compile_raw_bytes,
    "udp": compile_transport,
    "udplite": compile_transport,
}


def compile_shape(shape: Shape) -> tuple[Condition, ...]:
    """Every condition of the rules of a shape, in the order that the kernel asks: the rule's own, then match by
    match."""
    conditions = [condition for condition in map(core_condition, shape.core) if condition is not None]
    for match in shape.matches:
        conditions.extend(compile_match(match))
    if Hidden.CONDITIONS in shape.hidden:
        conditions.append(Condition((), _not_shown, alone=True))
    if Hidden.INTERFACES in shape.hidden:
        conditions.append(Condition((), _interfaces))
    return tuple(conditions)


def _not_shown(words: Words, state: PacketState, bound: Bound) -> Answer:
    return ask(state, f"what line {bound.line} does not show holds")


def _interfaces(words: Words, state: PacketState, bound: Bound) -> Answer:
    """One question for all rules of a listing: nearly none names an interface, and asked one by one they would make
    more packets than anybody could follow.
    """
    return ask(state, "rules listed without -v name no interface")


def compile_match(match: Match) -> list[Condition]:
    """The conditions of one match, in order; none for one that matches always."""
    return MODULES.get(match.module, compile_undecided)(match)
