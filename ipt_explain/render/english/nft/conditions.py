"""Conditions of nftables' rules, as predicates: `comes from 10.244.0.0/16`, `is TCP`."""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.model.nft import (
    Binary,
    Concatenation,
    Conntrack,
    CountLimit,
    Expression,
    Fib,
    Flags,
    Limit,
    Match,
    Meta,
    Numgen,
    Operator,
    Payload,
    Prefix,
    Quota,
    SetLiteral,
    SetReference,
    Statement,
    Table,
    Unread,
    Xtables,
)
from ipt_explain.model.nft.printing import statement_text
from ipt_explain.netfilter.marks import ALL_BITS
from ipt_explain.netfilter.nft.chances import share_of
from ipt_explain.netfilter.nft.readings import Chance
from ipt_explain.render.english.marks import bits
from ipt_explain.render.english.nft.nouns import held, noun, value
from ipt_explain.render.english.wording import say
from ipt_explain.words import either
from ipt_explain.words.percents import percent

_PROTOCOLS = {"tcp": "TCP", "udp": "UDP", "sctp": "SCTP", "icmp": "ICMP", "icmpv6": "ICMPv6", "ipv6-icmp": "ICMPv6"}
_ORDERS = {
    Operator.LESS: "below",
    Operator.GREATER: "above",
    Operator.AT_MOST: "at most",
    Operator.AT_LEAST: "at least",
}
_INTERFACES = {"iifname": "arrives on", "iif": "arrives on", "oifname": "leaves by", "oif": "leaves by"}


def conditions(statement: Statement, table: Table | None, marks: Mapping[int, str]) -> list[str]:
    """The conditions of a statement; none for an action."""
    if isinstance(statement, Match):
        return _match(statement, table, marks)
    if isinstance(statement, (Limit, Quota, CountLimit)):
        return [f"passes `{statement_text(statement)}`"]
    if isinstance(statement, Unread):
        return [f"passes `{statement.text}`, which this program does not know"]
    if isinstance(statement, Xtables) and statement.kind == "match":
        return [f"passes match {statement.name} of iptables (nft shows no more than its name)"]
    return []


def _match(match: Match, table: Table | None, marks: Mapping[int, str]) -> list[str]:
    left, right, negated = match.left, match.right, match.operator is Operator.NOT_EQUAL
    picked = _picked(match)
    if picked is not None:
        return [f"is picked at random ({percent(picked)} of those that come here)"]
    if match.operator in _ORDERS:
        return [f"has {_article(noun(left))} {_ORDERS[match.operator]} {value(right, left)}"]
    if _is_mark(left) or (isinstance(left, Binary) and _is_mark(left.left)):
        return [_mark(match, marks)]
    if isinstance(right, SetReference):
        verb = "has its" if not negated else "does not have its"
        return [f"{verb} {noun(left)} in {held(right, table, left)}"]
    implied = _protocol_of(left)
    words = _plain(left, _value(right, left), right)
    if words is None:
        return [f"passes `{statement_text(match)}`"]
    return [*implied, say(words, negated)]


def _picked(match: Match) -> float | None:
    """The share of packets that match a comparison with a random number."""
    left = match.left
    if (
        isinstance(left, Binary)
        and left.left == Meta("random")
        and left.operator == "&"
        and isinstance(left.right, int)
    ):
        share = share_of(Chance(0, left.right + 1), match.operator, match.right)
        return None if share is None else float(share)
    if isinstance(left, Numgen):
        share = share_of(Chance(left.offset, left.modulus), match.operator, match.right)
        return None if share is None else float(share)
    return None


def _value(right: Expression, left: Expression) -> str:
    if isinstance(right, Flags):
        return either([value(name, left) for name in right.names])
    return value(right, left)


def _plain(left: Expression, wanted: str, right: Expression) -> str | None:
    """The condition on a field that has words of its own."""
    if isinstance(left, Payload) and left.protocol in ("ip", "ip6"):
        if left.field == "saddr":
            return f"comes from {wanted}"
        if left.field == "daddr":
            return f"goes to {wanted}"
    if isinstance(left, Meta) and left.key in _INTERFACES:
        if isinstance(right, int):
            return f"{_INTERFACES[left.key]} interface number {wanted}, which is gone"
        return f"{_INTERFACES[left.key]} {wanted}"
    if noun(left) == "protocol":
        return f"is {_PROTOCOLS.get(wanted, wanted)}"
    if isinstance(left, Conntrack) and left.key == "state":
        new = "starts a new connection (state new)"
        return new if wanted == "new" else f"belongs to a connection in state {wanted}"
    if left == Conntrack("status") and wanted == "dnat":
        return "has had its destination rewritten (ct status dnat)"
    if isinstance(left, Fib) and left.result == "type":
        owned = " (this node's own)" if wanted == "local" else ""
        return (
            f"has {_article(noun(left)[len('kind of ') :])} of type {wanted}{owned}" if len(left.flags) == 1 else None
        )
    if isinstance(left, Concatenation):
        return f"has {noun(left)} {wanted}"
    words = noun(left)
    return None if words.startswith("`") else f"has {words} {wanted}"


def _protocol_of(left: Expression) -> list[str]:
    """`tcp dport` implies TCP."""
    known = isinstance(left, Payload) and left.field in ("sport", "dport") and left.protocol in _PROTOCOLS
    return [f"is {_PROTOCOLS[left.protocol]}"] if known and isinstance(left, Payload) else []


def _is_mark(expression: Expression) -> bool:
    return expression in (Meta("mark"), Conntrack("mark"))


def _mark(match: Match, marks: Mapping[int, str]) -> str:
    """`meta mark & 0x4000 == 0`, which nft prints as a prefix if the mask has the highest bits."""
    left, right, negated = match.left, match.right, match.operator is Operator.NOT_EQUAL
    whose = "mark" if left == Meta("mark") or (isinstance(left, Binary) and left.left == Meta("mark")) else "connmark"
    mask = ALL_BITS
    if isinstance(left, Binary) and left.operator == "&" and isinstance(left.right, int):
        mask = left.right
    elif isinstance(right, Prefix):
        mask, right = ALL_BITS ^ ALL_BITS >> right.length, right.base
    elif isinstance(left, Binary):
        return f"passes `{statement_text(match)}`"
    if isinstance(right, (SetReference, SetLiteral)) or not isinstance(right, int):
        return f"passes `{statement_text(match)}`"
    if mask == ALL_BITS:
        return say(f"has {whose} {right:#x}", negated)
    which, single = bits(mask, marks), mask & (mask - 1) == 0
    if right == 0 or (right == mask and single):
        clear = (right == 0) is not negated
        if single or not negated:
            return f"has {whose} {which} {'clear' if clear else 'set'}"
        return f"has some of {whose} {which} set"
    return say(f"has {whose} {which} equal to {right:#x}", negated)


def _article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
