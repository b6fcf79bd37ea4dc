"""Which connections to a service port are masqueraded in nftables mode."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.analyzers.nftables.tables import (
    CLUSTER_IPS,
    MARK_FOR_MASQUERADE,
    MASQUERADING,
    SERVICES,
    SOURCE_ADDRESSES,
    leads_to,
)
from ipt_explain.columns import column
from ipt_explain.model import nft
from ipt_explain.model.nft.printing import expression_text, statement_text
from ipt_explain.netfilter.nft.misses import DESTINATION_ADDRESSES
from ipt_explain.services.ports import Endpoint, Frontend, FrontendVerdict, Masquerade


def masquerade(
    table: nft.Table, first: Frontend | None, endpoints: Sequence[Endpoint], for_all: nft.Rule | None
) -> Masquerade:
    """The masquerading of one service port. `first` is its ClusterIP; `for_all` the rule that marks connections to any
    (see `marks_all`)."""
    hairpins = set(column(endpoints, "hairpin"))
    hairpin = False if False in hairpins else None if None in hairpins or not hairpins else True
    rule = None
    if first is not None and first.verdict is FrontendVerdict.BALANCE:
        rule = _marking(table, first) or for_all
    if rule is None:
        return Masquerade(hairpin, False, None)
    condition = _condition(rule)
    tests_source = any(each.left in SOURCE_ADDRESSES for each in rule.of(nft.Match))
    return Masquerade(hairpin, condition is None and not tests_source, condition)


def masquerade_mark(table: nft.Table) -> tuple[int, int] | None:
    """Value and mask of the masquerade mark: the bit that the chain masquerading clears."""
    mark = _bits(table.rules(MASQUERADING), "^")
    return None if mark is None else (mark, mark)


def mark_set(table: nft.Table) -> int | None:
    """The bit that the chain mark-for-masquerade sets; None without the chain, as from 1.36."""
    return _bits(table.rules(MARK_FOR_MASQUERADE), "|")


def _bits(rules: Sequence[nft.Rule], operator: str) -> int | None:
    """The bits that the first of some rules which uses this operator sets (`|`) or clears (`^`)."""
    for rule in rules:
        for value in (statement.value for statement in rule.of(nft.Mangle)):
            if isinstance(value, nft.Binary) and value.operator == operator and isinstance(value.right, int):
                return value.right
    return None


def _marking(table: nft.Table, first: Frontend) -> nft.Rule | None:
    """The rule in a ClusterIP's balancer that marks connections to it, as up to 1.35."""
    for rule in table.rules(first.balancer or ""):
        if leads_to(rule, MARK_FOR_MASQUERADE) and any(
            each.left in DESTINATION_ADDRESSES and each.right == first.address for each in rule.of(nft.Match)
        ):
            return rule
    return None


def marks_all(table: nft.Table) -> nft.Rule | None:
    """The rule in `services` that marks connections to any ClusterIP, as from 1.36."""
    for rule in table.rules(SERVICES):
        marks = any(each.target == nft.Meta("mark") for each in rule.of(nft.Mangle))
        if marks and any(each.right == nft.SetReference(CLUSTER_IPS) for each in rule.of(nft.Match)):
            return rule
    return None


def _condition(rule: nft.Rule) -> str | None:
    """The condition for packets from outside the pod network; None if all are masqueraded."""
    for each in rule.of(nft.Match):
        if each.operator is nft.Operator.NOT_EQUAL:
            if each.left in SOURCE_ADDRESSES and isinstance(each.right, (nft.Prefix, str)):
                return expression_text(each.right)
            return statement_text(each)
    return None
