"""Endpoint chains that do not mark the endpoint's own connections for masquerading."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.analyzers.names import MARK_MASQ, ChainRole, role_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.columns import column
from ipt_explain.enums import Enum
from ipt_explain.model import Chain, Rule
from ipt_explain.netfilter.header import network_bits, parse_address
from ipt_explain.records import Record
from ipt_explain.services.ports import Endpoint, ServicePort

_AS_WRITTEN = 2  # rules of an endpoint chain: a mark, a DNAT


class HairpinFault(Enum):
    """What is wrong with the rule that marks an endpoint's own connections."""

    MISSING = "there is none"
    ADDRESS = "it matches another address"
    LATE = "it comes after the DNAT"
    UNDONE = "another one takes the mark off again"


class BrokenHairpin(Record):
    """An endpoint that cannot reach itself, or whose chain masquerades others. `rule` is the marking rule, or the DNAT
    if there is none."""

    service: ServicePort
    endpoint: Endpoint
    chain: Chain
    fault: HairpinFault
    rule: Rule


@fact
def hairpins(context: RulesetContext) -> tuple[BrokenHairpin, ...]:
    """All faults, one per endpoint chain. Missing rules are reported even for chains that may have more rules than the
    text shows."""
    found: dict[str, BrokenHairpin] = {}
    for service in context.services:
        marked, hairpins = column(service.endpoints, "marked"), column(service.endpoints, "hairpin")
        if all(marked) and all(hairpins):
            continue
        names = column(service.endpoints, "chain")
        for number, (name, marks, hairpin) in enumerate(zip(names, marked, hairpins)):
            chain = None if name in found or (marks and hairpin) else context.ruleset.chain("nat", name)
            if chain is not None and not (marks and len(chain.layout) <= _AS_WRITTEN):
                endpoint = service.endpoints[number]
                if endpoint.address is not None:
                    for broken in _judge(chain, service, endpoint):
                        found[name] = broken
    return tuple(found.values())


def _judge(chain: Chain, service: ServicePort, endpoint: Endpoint) -> Iterator[BrokenHairpin]:
    if endpoint.rule.chain != endpoint.chain or role_of(chain.name) is not ChainRole.ENDPOINT:
        return
    marking = [rule for rule in chain.rules if rule.target in (MARK_MASQ, "MARK")]
    right = [rule for rule in marking if is_own_mark(rule, endpoint.address or "")]
    if not marking:
        if endpoint.hairpin is not True:
            yield BrokenHairpin(service, endpoint, chain, HairpinFault.MISSING, endpoint.rule)
    elif right and right[0].line > endpoint.rule.line:
        yield BrokenHairpin(service, endpoint, chain, HairpinFault.LATE, right[0])
    elif not right:
        yield BrokenHairpin(service, endpoint, chain, HairpinFault.ADDRESS, marking[0])
    elif endpoint.hairpin is False:
        changing = [rule for rule in marking if rule.target == "MARK" and rule.line > right[0].line]
        if changing:
            yield BrokenHairpin(service, endpoint, chain, HairpinFault.UNDONE, changing[-1])


def is_own_mark(rule: Rule, address: str) -> bool:
    """Whether a rule is for connections that come from the endpoint."""
    source = rule.shape.core_option("-s")
    if source is None or source.negated:
        return False
    try:
        value, mask = network_bits(rule.first(source) or "")
        return value == parse_address(address) and mask == (1 << (128 if ":" in address else 32)) - 1
    except ValueError:
        return False
