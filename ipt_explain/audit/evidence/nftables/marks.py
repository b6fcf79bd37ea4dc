"""The mark for masquerading: which rules set it, and what the chain masquerading does with it."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.analyzers.nftables.names import ChainKind, proxy_chain
from ipt_explain.analyzers.nftables.tables import (
    CLUSTER_IPS,
    HAIRPIN_CONNECTIONS,
    MARK_FOR_MASQUERADE,
    MASQUERADING,
    SERVICES,
    SOURCE_ADDRESSES,
)
from ipt_explain.model import nft
from ipt_explain.records import Record

_MARK = nft.Meta("mark")
_BITS = 32


class MarkSetting(Record):
    """A rule that sets bits of the mark."""

    chain: nft.Chain
    rule: nft.Rule
    bits: int


class MasqueradingChain(Record):
    """What the chain masquerading does. `tested` are the bits that a packet must have, `cleared` those that it clears;
    None if nothing tests or clears. `hairpins` if it looks up hairpin-connections."""

    tested: int | None
    cleared: int | None
    masquerades: bool
    hairpins: bool


def settings(table: nft.Table) -> Iterator[MarkSetting]:
    """All rules that set bits of the mark."""
    for chain, rule in table.each_rule():
        for statement in rule.of(nft.Mangle) if chain.name != MASQUERADING else ():
            bits = _changed(statement, "|")
            if bits is not None:
                yield MarkSetting(chain, rule, bits)


def sets_mark(chain: nft.Chain) -> bool:
    """Whether a chain sets bits of the mark of all packets that reach it."""
    for rule in chain.rules:
        if not rule.of(nft.Match):
            if any(_changed(each, "|") for each in rule.of(nft.Mangle)):
                return True
            if any(map(ends_chain, rule.statements)):
                return False
    return False


def mismarked(table: nft.Table) -> Iterator[tuple[nft.Chain, nft.Rule, str]]:
    """Rules that mark connections to ClusterIPs other than those from outside the pod network, and which
    connections."""
    for chain in table.chains.values():
        known = proxy_chain(chain.name)
        if chain.name != SERVICES and (known is None or known.kind not in (ChainKind.SERVICE, ChainKind.LOCAL)):
            continue
        for rule in chain.rules:
            to_mark = nft.Verdict(nft.VerdictKind.JUMP, MARK_FOR_MASQUERADE)
            if not isinstance(rule.last, nft.Mangle) and rule.last != to_mark:
                continue
            asked = rule.of(nft.Match)
            if any(_asks_source(each) and each.operator is nft.Operator.EQUAL for each in asked):
                yield chain, rule, "connections from pods are masqueraded, not those from outside their network"
            elif chain.name == SERVICES and not any(each.right == nft.SetReference(CLUSTER_IPS) for each in asked):
                yield chain, rule, "connections to addresses other than ClusterIPs are masqueraded too"


def _asks_source(match: nft.Match) -> bool:
    return match.left in (*SOURCE_ADDRESSES, nft.Meta("iifname"), nft.Meta("iif"))


def masquerading(chain: nft.Chain) -> MasqueradingChain:
    """What the chain masquerading does to packets with the mark."""
    tested = cleared = None
    masquerades = hairpins = False
    for rule in chain.rules:
        if any(map(ends_chain, rule.statements)) and not rule.of(nft.Match):
            break
        rewrites = any(each.kind is nft.NatKind.MASQUERADE for each in rule.of(nft.Nat))
        for statement in rule.statements:
            if isinstance(statement, nft.Match):
                if statement.right == nft.SetReference(HAIRPIN_CONNECTIONS):
                    hairpins, rewrites = rewrites, False
                bits = _asked(statement)
                returns = any(each == nft.Verdict(nft.VerdictKind.RETURN) for each in rule.statements)
                if bits is not None and (returns or rewrites):
                    tested = bits
            elif isinstance(statement, nft.Mangle):
                cleared = _changed(statement, "^") or cleared
        masquerades |= rewrites
    return MasqueradingChain(tested, cleared, masquerades, hairpins)


def ends_chain(statement: nft.Statement) -> bool:
    """Whether it is a verdict that ends the chain."""
    return isinstance(statement, nft.Verdict) and statement.kind in (
        nft.VerdictKind.ACCEPT, nft.VerdictKind.DROP, nft.VerdictKind.RETURN,
    )  # fmt: skip


def _changed(statement: nft.Mangle, operator: str) -> int | None:
    value = statement.value
    if statement.target == _MARK and isinstance(value, nft.Binary) and value.operator == operator:
        return value.right if isinstance(value.right, int) else None
    return None


def _asked(match: nft.Match) -> int | None:
    """The bits that a match on the mark tests."""
    if match.operator not in (nft.Operator.EQUAL, nft.Operator.NOT_EQUAL):
        return None
    left: nft.Expression = match.left
    if isinstance(left, nft.Binary) and left.operator == "&" and left.left == _MARK and isinstance(left.right, int):
        return left.right
    if left == _MARK and isinstance(match.right, nft.Prefix):
        length = match.right.length
        return ((1 << length) - 1) << (_BITS - length)
    return None
