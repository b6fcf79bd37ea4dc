"""Conditions of nftables' rules, as predicates: `comes from 10.244.0.0/16`, `is TCP`."""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.model import nft
from ipt_explain.model.nft.printing import statement_text
from ipt_explain.netfilter.marks import ALL_BITS
from ipt_explain.netfilter.nft.chances import share_of
from ipt_explain.netfilter.nft.values.kinds import Chance
from ipt_explain.render.english.marks import bits
from ipt_explain.render.english.nft.nouns import held, noun, value
from ipt_explain.render.english.wording import say
from ipt_explain.words import either
from ipt_explain.words.percents import percent

_PROTOCOLS = {"tcp": "TCP", "udp": "UDP", "sctp": "SCTP", "icmp": "ICMP", "icmpv6": "ICMPv6", "ipv6-icmp": "ICMPv6"}
_ORDERS = {
    nft.Operator.LESS: "below",
    nft.Operator.GREATER: "above",
    nft.Operator.AT_MOST: "at most",
    nft.Operator.AT_LEAST: "at least",
}
_FAMILIES = {"ipv4": "IPv4", "ipv6": "IPv6"}
_INTERFACES = {"iifname": "arrives on", "iif": "arrives on", "oifname": "leaves by", "oif": "leaves by"}


def conditions(statement: nft.Statement, table: nft.Table | None, marks: Mapping[int, str]) -> list[str]:
    """The conditions of a statement; none for an action."""
    if isinstance(statement, nft.Match):
        return _match(statement, table, marks)
    if isinstance(statement, (nft.Limit, nft.Quota, nft.CountLimit)):
        return [f"passes `{statement_text(statement)}`"]
    if isinstance(statement, nft.Unread):
        return [f"passes `{statement.text}`, which this program does not know"]
    if isinstance(statement, nft.Xtables) and statement.kind == "match":
        return [f"passes match {statement.name} of iptables (nft shows only its name)"]
    return []


def _match(match: nft.Match, table: nft.Table | None, marks: Mapping[int, str]) -> list[str]:
    left, right, negated = match.left, match.right, match.operator is nft.Operator.NOT_EQUAL
    picked = _picked(match)
    if picked is not None:
        return [f"is picked at random ({percent(picked)} of those that come here)"]
    if match.operator in _ORDERS:
        return [f"has {_article(noun(left))} {_ORDERS[match.operator]} {value(right, left)}"]
    if _is_mark(left) or (isinstance(left, nft.Binary) and _is_mark(left.left)):
        return [_mark(match, marks)]
    if isinstance(right, nft.SetReference):
        verb = "has its" if not negated else "does not have its"
        return [f"{verb} {noun(left)} in {held(right, table, left)}"]
    implied = _protocol_of(left)
    words = _plain(left, _value(right, left), right)
    if words is None:
        return [f"passes `{statement_text(match)}`"]
    return [*implied, say(words, negated)]


def _picked(match: nft.Match) -> float | None:
    """The share of packets that match a comparison with a random number."""
    left = match.left
    if (
        isinstance(left, nft.Binary)
        and left.left == nft.Meta("random")
        and left.operator == "&"
        and isinstance(left.right, int)
    ):
        share = share_of(Chance(0, left.right + 1), match.operator, match.right)
        return None if share is None else float(share)
    if isinstance(left, nft.Numgen):
        share = share_of(Chance(left.offset, left.modulus), match.operator, match.right)
        return None if share is None else float(share)
    return None


def _value(right: nft.Expression, left: nft.Expression) -> str:
    if isinstance(right, nft.Flags):
        return either([value(name, left) for name in right.names])
    return value(right, left)


def _plain(left: nft.Expression, wanted: str, right: nft.Expression) -> str | None:
    """The condition on a field that has words of its own."""
    if isinstance(left, nft.Payload) and left.protocol in ("ip", "ip6"):
        if left.field == "saddr":
            return f"comes from {wanted}"
        if left.field == "daddr":
            return f"goes to {wanted}"
    if isinstance(left, nft.Meta) and left.key in _INTERFACES:
        if isinstance(right, int):
            return f"{_INTERFACES[left.key]} interface number {wanted}, which is gone"
        return f"{_INTERFACES[left.key]} {wanted}"
    if noun(left) == "protocol":
        return f"is {_PROTOCOLS.get(wanted, wanted)}"
    if left == nft.Meta("nfproto") and wanted in _FAMILIES:
        return f"is {_FAMILIES[wanted]}"
    if isinstance(left, nft.Conntrack) and left.key == "state":
        new = "starts a new connection (state new)"
        return new if wanted == "new" else f"belongs to a connection in state {wanted}"
    if left == nft.Conntrack("status") and wanted == "dnat":
        return "has had its destination rewritten (ct status dnat)"
    if isinstance(left, nft.Fib) and left.result == "type":
        owned = " (this node's own)" if wanted == "local" else ""
        return (
            f"has {_article(noun(left)[len('kind of ') :])} of type {wanted}{owned}" if len(left.flags) == 1 else None
        )
    if isinstance(left, nft.Concatenation):
        return f"has {noun(left)} {wanted}"
    words = noun(left)
    return None if words.startswith("`") else f"has {words} {wanted}"


def _protocol_of(left: nft.Expression) -> list[str]:
    """`tcp dport` implies TCP."""
    known = isinstance(left, nft.Payload) and left.field in ("sport", "dport") and left.protocol in _PROTOCOLS
    return [f"is {_PROTOCOLS[left.protocol]}"] if known and isinstance(left, nft.Payload) else []


def _is_mark(expression: nft.Expression) -> bool:
    return expression in (nft.Meta("mark"), nft.Conntrack("mark"))


def _mark(match: nft.Match, marks: Mapping[int, str]) -> str:
    """`meta mark & 0x4000 == 0`, which nft prints as a prefix if the mask has the highest bits."""
    left, right, negated = match.left, match.right, match.operator is nft.Operator.NOT_EQUAL
    tested = left.left if isinstance(left, nft.Binary) else left
    whose = "mark" if tested == nft.Meta("mark") else "connmark"
    mask = ALL_BITS
    if isinstance(left, nft.Binary) and left.operator == "&" and isinstance(left.right, int):
        mask = left.right
    elif isinstance(right, nft.Prefix):
        mask, right = ALL_BITS ^ ALL_BITS >> right.length, right.base
    elif isinstance(left, nft.Binary):
        return f"passes `{statement_text(match)}`"
    if isinstance(right, (nft.SetReference, nft.SetLiteral)) or not isinstance(right, int):
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
