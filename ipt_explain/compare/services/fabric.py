"""A service's rules other than balancing, which reach, mark and admit its frontends and keep clients on an endpoint.

A service's view already has most of their effect. The rest (which sources bypass an external policy, how source ranges
are enforced) is compared here rule by rule, but only between dumps of the same kind of kube-proxy: other releases
write other rules for the same effect.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import (
    EXTERNAL_SERVICES,
    MARK_MASQ,
    NODE_PORTS,
    PROXY_FIREWALL,
    SERVICES,
    ChainRole,
    role_of,
)
from ipt_explain.analyzers.rulesets import role_label
from ipt_explain.columns import columns
from ipt_explain.compare.canonical import RuleTexts
from ipt_explain.compare.completeness import shows_all
from ipt_explain.model import Backend, Dump, Family, Ruleset
from ipt_explain.services.evidence import Evidence, rules_of
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.ports import Balancer, FrontendKind, ServicePort
from ipt_explain.words import address_port

Fabric = tuple[str, ...]
"""The kind of kube-proxy, then rules as `TABLE CHAIN CONDITIONS -j TARGET`, with hashed chains named by role and those
of endpoints by address. Empty if the dump is incomplete."""

_RulesetKey = tuple[str, Family, Backend | None]
_Place = tuple[str, str, str]

_OF_SERVICES = (
    ("nat", SERVICES),
    ("nat", NODE_PORTS),
    ("filter", SERVICES),
    ("filter", EXTERNAL_SERVICES),
    ("filter", NODE_PORTS),
    ("filter", PROXY_FIREWALL),
)
_MARK_AND_DNAT = 2
"""How many rules an endpoint's chain usually has."""
_LIST_NAME = re.compile(r" --name \S+")


def fabrics(explanation: Explanation, dumps: Sequence[Dump]) -> list[Fabric]:
    """The fabric of each service port of an explanation."""
    readers = {
        (ruleset.source, ruleset.family, ruleset.backend): _FabricReader(ruleset)
        for dump in dumps
        for ruleset in dump.rulesets
        if shows_all(ruleset)
    }
    kinds = {
        (facts.source, facts.family, facts.backend): f"{facts.version} {facts.mode}" for facts in explanation.rulesets
    }
    found: list[Fabric] = []
    for service in explanation.services:
        key: _RulesetKey = (service.source, service.family, service.backend)
        reader = readers.get(key)
        found.append(() if reader is None else (f"{kinds.get(key)} {reader.has_proxy_firewall}", *reader.read(service)))
    return found


class _FabricReader:
    def __init__(self, ruleset: Ruleset) -> None:
        self._plans = Plans()
        self._texts = RuleTexts()
        nat = ruleset.tables.get("nat")
        self._chains = {} if nat is None else nat.chains
        self._ruleset = ruleset
        self._longer = {name for name, chain in self._chains.items() if len(chain.layout.shapes) > _MARK_AND_DNAT}
        self.has_proxy_firewall = ruleset.chain("filter", PROXY_FIREWALL) is not None

    @cached_property
    def _by_place(self) -> Mapping[_Place, list[tuple[str, Evidence]]]:
        """The rules of the chains that look services up, by address, port and protocol."""
        found: dict[_Place, list[tuple[str, Evidence]]] = {}
        for table, name in _OF_SERVICES:
            for rule in rules_of(self._ruleset.chain(table, name)):
                plan = self._plans[rule.shape]
                # From 1.31 on, a second rule counts connections to node ports on loopback addresses.
                if plan.destination_port is None or plan.protocol is None or "nfacct" in plan.other:
                    continue
                host = "" if plan.destination is None else plan.destination.at(rule).partition("/")[0]
                place = (host, plan.destination_port.at(rule), plan.protocol.at(rule))
                found.setdefault(place, []).append((table, rule))
        return found

    def read(self, service: ServicePort) -> Iterator[str]:
        """The rules of a service port, except those that its view covers: of ClusterIPs and most endpoint chains."""
        for frontend in service.frontends:
            if frontend.kind is not FrontendKind.CLUSTER_IP:
                yield from self._at((frontend.address or "", str(frontend.port), service.protocol))
        if service.health_check_node_port is not None:
            yield from self._at(("", str(service.health_check_node_port), "tcp"))
        chains = service.chains
        for name in dict.fromkeys((chains.firewall, chains.external)):
            if name is not None:
                yield from self._beside_balancing(name, service)
        for balancer in service.balancers:
            if balancer.chain != chains.external and self._has_more(balancer, service):
                yield from sorted(self._beside_balancing(balancer.chain, service))
        names, marked = columns(service.endpoints, ("chain", "marked"))
        if not self._longer.isdisjoint(names) or not all(marked):
            for name, is_marked in zip(names, marked):
                chain = self._chains.get(name)
                if chain is not None and len(chain.layout) > (_MARK_AND_DNAT if is_marked else 1):
                    yield from (f"nat {self._text(rule)}" for rule in rules_of(chain))

    def _at(self, place: _Place) -> list[str]:
        return sorted(f"{table} {self._text(rule)}" for table, rule in self._by_place.get(place, ()))

    def _has_more(self, balancer: Balancer, service: ServicePort) -> bool:
        """Whether a balancer's chain has rules other than balancing and marking for its ClusterIP."""
        chain = self._chains.get(balancer.chain)
        more = 0 if chain is None else len(chain.layout) - len(balancer.shares)
        return more > 1 or (more == 1 and chain is not None and not self._marks_cluster_ip(Evidence(chain, 0), service))

    def _marks_cluster_ip(self, rule: Evidence, service: ServicePort) -> bool:
        """Whether a rule marks only connections to the ClusterIP for masquerading."""
        plan = self._plans[rule.shape]
        if plan.destination is None or plan.destination_port is None or rule.target != MARK_MASQ:
            return False
        place = (plan.destination.at(rule).partition("/")[0], plan.destination_port.at(rule))
        return place == (service.cluster_ip, str(service.port))

    def _beside_balancing(self, name: str, service: ServicePort) -> Iterator[str]:
        endpoints = {each.chain: address_port(each.address, each.port) for each in service.endpoints if each.address}
        for rule in rules_of(self._chains.get(name)):
            target = rule.target
            if target is None or (role_of(target) is ChainRole.ENDPOINT and not self._plans[rule.shape].rcheck):
                continue
            if not self._marks_cluster_ip(rule, service):
                yield f"nat {self._text(rule, endpoints)}"

    def _text(self, rule: Evidence, endpoints: Mapping[str, str] = MappingProxyType({})) -> str:
        """The rule with roles instead of hashed names."""
        text, jump, target = self._texts.text(rule.rule).removeprefix("-A ").rpartition(" -j ")
        chain, _, conditions = text.partition(" ")
        if self._plans[rule.shape].rcheck:
            conditions = _LIST_NAME.sub("", conditions)
        words = [role_label(chain), conditions, jump.strip(), endpoints.get(target, role_label(target))]
        return " ".join(filter(None, words))
