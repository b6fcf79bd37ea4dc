"""Which connections to a service port are masqueraded in nftables mode."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.analyzers.nftables.tables import CLUSTER_IPS, MARK_FOR_MASQUERADE, MASQUERADING, SERVICES, leads_to
from ipt_explain.model.nft import (
    Binary,
    Mangle,
    Match,
    Meta,
    Operator,
    Payload,
    Prefix,
    Rule,
    SetReference,
    Table,
)
from ipt_explain.model.nft.printing import expression_text, statement_text
from ipt_explain.services.ports import Endpoint, Frontend, FrontendVerdict, Masquerade

_DESTINATIONS = (Payload("ip", "daddr"), Payload("ip6", "daddr"))
_SOURCES = (Payload("ip", "saddr"), Payload("ip6", "saddr"))


def masquerade(table: Table, first: Frontend | None, endpoints: Sequence[Endpoint]) -> Masquerade:
    """The masquerading of one service port. `first` is its ClusterIP."""
    hairpins = {each.hairpin for each in endpoints}
    hairpin = False if False in hairpins else None if None in hairpins or not hairpins else True
    rule = None
    if first is not None and first.verdict is FrontendVerdict.BALANCE:
        rule = _marking(table, first)
    if rule is None:
        return Masquerade(hairpin, False, None)
    condition = _condition(rule)
    tests_source = any(isinstance(each, Match) and each.left in _SOURCES for each in rule.statements)
    return Masquerade(hairpin, condition is None and not tests_source, condition)


def masquerade_mark(table: Table) -> tuple[int, int] | None:
    """Value and mask of the masquerade mark: the bit that the chain masquerading clears."""
    chain = table.chains.get(MASQUERADING)
    for rule in chain.rules if chain is not None else ():
        for statement in rule.statements:
            value = statement.value if isinstance(statement, Mangle) else None
            if isinstance(value, Binary) and value.operator == "^" and isinstance(value.right, int):
                return value.right, value.right
    return None


def _marking(table: Table, first: Frontend) -> Rule | None:
    """The rule that marks connections to a ClusterIP: in its balancer up to 1.35, in `services` from 1.36."""
    chain = table.chains.get(first.balancer or "")
    for rule in chain.rules if chain is not None else ():
        if leads_to(rule, MARK_FOR_MASQUERADE) and any(
            isinstance(each, Match) and each.left in _DESTINATIONS and each.right == first.address
            for each in rule.statements
        ):
            return rule
    chain = table.chains.get(SERVICES)
    for rule in chain.rules if chain is not None else ():
        statements = rule.statements
        marks = any(isinstance(each, Mangle) and each.target == Meta("mark") for each in statements)
        if marks and any(isinstance(each, Match) and each.right == SetReference(CLUSTER_IPS) for each in statements):
            return rule
    return None


def _condition(rule: Rule) -> str | None:
    """The condition for packets from outside the pod network; None if all are masqueraded."""
    for each in rule.statements:
        if isinstance(each, Match) and each.operator is Operator.NOT_EQUAL:
            if each.left in _SOURCES and isinstance(each.right, (Prefix, str)):
                return expression_text(each.right)
            return statement_text(each)
    return None
