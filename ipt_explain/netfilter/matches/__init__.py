"""What each match module tests, compiled once per shape.

Each module here returns the conditions of a match in the kernel's order, and is imported when a rule first needs it. A
match that none of them knows is a question that only the user can answer.
"""

from __future__ import annotations

from ipt_explain.model import Hidden, Match, Shape
from ipt_explain.netfilter.condition import Answer, Condition, Words, ask, undecided
from ipt_explain.netfilter.matches.core import core_condition
from ipt_explain.netfilter.packet import Bound, PacketState

__all__ = ["compile_match", "compile_shape"]


def compile_shape(shape: Shape) -> tuple[Condition, ...]:
    """Every condition of a shape's rules in the kernel's order: the rule's own, then match by match."""
    conditions = [condition for condition in map(core_condition, shape.core) if condition is not None]
    for match in shape.matches:
        if match.module == "recent" and shape.target is not None and shape.target.name == "DNAT":
            from ipt_explain.netfilter.matches.visits import conditions as visits

            conditions.extend(visits(match, last=True))
        else:
            conditions.extend(compile_match(match))
    if Hidden.CONDITIONS in shape.hidden:
        conditions.append(Condition((), _not_shown, alone=True))
    if Hidden.INTERFACES in shape.hidden:
        conditions.append(Condition((), _interfaces))
    return tuple(conditions)


def _not_shown(words: Words, state: PacketState, bound: Bound) -> Answer:
    return ask(state, f"what line {bound.line} does not show holds")


def _interfaces(words: Words, state: PacketState, bound: Bound) -> Answer:
    """One question for all rules of a listing: hardly any names an interface, and one question each would split packets
    into more cases than anyone could follow."""
    return ask(state, "rules listed without -v name no interface")


def compile_match(match: Match) -> list[Condition]:
    """The conditions of one match, in order; none if it always matches."""
    match match.module:
        case "comment" | "nfacct":
            return []
        case "addrtype" | "iprange":
            from ipt_explain.netfilter.matches.addressing import conditions
        case "ah" | "dst" | "esp" | "frag" | "hbh" | "mh" | "rt" | "srh":
            from ipt_explain.netfilter.matches.extension_headers import conditions
        case "bpf" | "dscp" | "ecn" | "hl" | "tos" | "ttl" | "u32":
            from ipt_explain.netfilter.matches.ip_header import conditions
        case "cgroup" | "mac" | "owner" | "physdev" | "pkttype":
            from ipt_explain.netfilter.matches.origin import conditions
        case "connmark" | "mark":
            from ipt_explain.netfilter.matches.marked import conditions
        case "conntrack" | "state":
            from ipt_explain.netfilter.matches.tracking import conditions
        case "dccp" | "icmp" | "icmp6" | "icmpv6" | "multiport" | "sctp" | "tcp" | "udp" | "udplite":
            from ipt_explain.netfilter.matches.transport import conditions
        case "ipvs":
            from ipt_explain.netfilter.matches.virtual import conditions
        case "recent":
            from ipt_explain.netfilter.matches.visits import conditions
        case "set":
            from ipt_explain.netfilter.matches.sets import conditions
        case "statistic":
            from ipt_explain.netfilter.matches.chance import conditions
        case _:
            return undecided(match)
    return conditions(match)
