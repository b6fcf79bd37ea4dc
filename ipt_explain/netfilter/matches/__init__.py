"""What each match module asks of a packet, compiled once a shape.

A module is a function of a match that returns its conditions in the kernel's order, imported when a rule first asks
for it. A module without one is a question that only the user can answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from ipt_explain.model import Hidden, Match, Shape
from ipt_explain.netfilter.condition import Answer, Condition, Words, ask
from ipt_explain.netfilter.matches.core import core_condition
from ipt_explain.netfilter.packet import Bound, PacketState

__all__ = ["MODULES", "compile_match", "compile_shape"]


MODULES: Mapping[str, tuple[str, str] | None] = {
    "addrtype": ("addressing", "compile_addrtype"),
    "bpf": ("ip_header", "compile_raw_bytes"),
    "cgroup": ("origin", "compile_socket_owner"),
    "comment": None,
    "connmark": ("marked", "compile_connmark"),
    "conntrack": ("tracking", "compile_conntrack"),
    "dccp": ("transport", "compile_transport"),
    "dscp": ("ip_header", "compile_tos"),
    "ecn": ("ip_header", "compile_raw_bytes"),
    "hl": ("ip_header", "compile_hops"),
    "icmp": ("transport", "compile_icmp"),
    "icmp6": ("transport", "compile_icmp6"),
    "icmpv6": ("transport", "compile_icmp6"),
    "iprange": ("addressing", "compile_iprange"),
    "mac": ("origin", "compile_mac"),
    "mark": ("marked", "compile_mark"),
    "multiport": ("transport", "compile_multiport"),
    "nfacct": None,  # counts, and matches always
    "owner": ("origin", "compile_socket_owner"),
    "physdev": ("origin", "compile_physdev"),
    "pkttype": ("origin", "compile_pkttype"),
    "recent": ("visits", "compile_recent"),
    "sctp": ("transport", "compile_transport"),
    "set": ("sets", "compile_set"),
    "state": ("tracking", "compile_state"),
    "statistic": ("chance", "compile_statistic"),
    "tcp": ("transport", "compile_transport"),
    "tos": ("ip_header", "compile_tos"),
    "ttl": ("ip_header", "compile_hops"),
    "u32": ("ip_header", "compile_raw_bytes"),
    "udp": ("transport", "compile_transport"),
    "udplite": ("transport", "compile_transport"),
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
    home = MODULES.get(match.module, ("undecided", "compile_undecided"))
    if home is None:
        return []
    module, function = home
    compiler: Callable[[Match], list[Condition]] = getattr(import_module(f"{__name__}.{module}"), function)
    return compiler(match)
