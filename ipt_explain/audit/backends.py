"""One family's rules and Services in one backend: the subject of rules about Services, and about modes without iptables
chains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from ipt_explain.audit.findings.place import Location, at_rule
from ipt_explain.columns import column
from ipt_explain.model import Backend, Family
from ipt_explain.model.dump import SourceText
from ipt_explain.services.evidence import Evidence, Shown
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.ports import Frontend, RulesetFacts, ServicePort

if TYPE_CHECKING:
    from ipt_explain.analyzers.ipvs.node import IpvsNode
    from ipt_explain.model import nft
    from ipt_explain.model.node import NodeFacts
    from ipt_explain.services.fates import Decider


class AuditedNode(Protocol):
    """The node that a backend is part of."""

    @property
    def explanation(self) -> Explanation:
        """The analyzers' facts about its Services."""

    @property
    def contexts(self) -> Sequence[BackendContext]:
        """Everything that rules are asked about, numbered as in the explanation."""


class BackendContext:
    """One family's rules in one backend, and its Services: the subject of rules that need nothing else.

    `has_lines` is False for JSON, which has no line numbers.
    """

    def __init__(
        self, node: AuditedNode, text: SourceText, source: str, family: Family, backend: Backend | None, number: int
    ) -> None:
        self.node = node
        self.text = text
        self.source = source
        self.family = family
        self.backend = backend
        self.number = number
        self.has_lines = True

    @property
    def complete(self) -> bool:
        """Whether what the text lacks does not exist."""
        raise NotImplementedError

    @property
    def facts(self) -> RulesetFacts:
        """The summary: mode, version, masquerade mark."""
        return self.node.explanation.rulesets[self.number]

    @cached_property
    def services(self) -> tuple[ServicePort, ...]:
        """The service ports that only this backend serves."""
        everything = self.node.explanation.services
        if len(self.node.contexts) == 1:
            return everything
        ours = self.source, self.family, self.backend
        return tuple([service for service in everything if (service.source, service.family, service.backend) == ours])

    @cached_property
    def frontends(self) -> Sequence[tuple[ServicePort, Frontend]]:
        """All frontends, each with its service port."""
        return [(service, frontend) for service in self.services for frontend in service.frontends]

    @cached_property
    def _service_labels(self) -> Mapping[str, str]:
        labels: dict[str, str] = {}
        for service in self.services:
            label, chains = service.label, service.chains
            labels.update(dict.fromkeys(column(service.endpoints, "chain"), label))
            labels.update(dict.fromkeys(column(service.balancers, "chain"), label))
            for name in (chains.service, chains.local, chains.external, chains.firewall):
                if name is not None:
                    labels[name] = label
        return labels

    def service_of(self, chain: str) -> str | None:
        """The label of the service port that a chain belongs to, if it belongs to one."""
        return self._service_labels.get(chain)

    def table_of(self, chain: str | None, line: int | None) -> str | None:
        """The table of a chain whose name occurs in several tables: the one where `line` declares the chain or is one
        of its rules."""
        return None

    def at(self, shown: Evidence | Shown) -> Location:
        """The place of the evidence for a fact."""
        if isinstance(shown, Evidence):
            return at_rule(shown.rule)
        return Location(None, shown.line if self.has_lines else None, shown.text)


class NftContext(BackendContext):
    """One family's nftables rules: kube-proxy's table, if it is there, and those of others."""

    def __init__(self, node: AuditedNode, text: SourceText, ruleset: nft.Ruleset, family: Family, number: int) -> None:
        from ipt_explain.analyzers.nftables.tables import proxy_table

        super().__init__(node, text, ruleset.source, family, Backend.NFTABLES, number)
        self.ruleset = ruleset
        self.proxy = proxy_table(ruleset, family)
        self.has_lines = ruleset.has_lines

    @property
    def complete(self) -> bool:
        """Whether what the text lacks does not exist."""
        return not self.ruleset.fragment

    def rule_of(self, decider: Decider) -> nft.Rule | None:
        """The rule that decides."""
        for table in self.ruleset.tables.values():
            if _name(table) == decider.table:
                return next((each for each in table.rules(decider.chain or "") if each.text == decider.text), None)
        return None

    def at_rule(self, table: nft.Table, chain: nft.Chain, rule: nft.Rule) -> Location:
        """The place of a rule."""
        return Location(chain.name, rule.line if self.has_lines else None, rule.text, table=_name(table))

    def at_element(self, table: nft.Table, held: nft.Set, element: nft.Element) -> Location:
        """The place of an element of a set or map."""
        from ipt_explain.model.nft.printing import element_text

        line = (element.line or held.line or None) if self.has_lines else None
        return Location(None, line, f"{held.name}: {element_text(element)}", table=_name(table))

    def at_chain(self, table: nft.Table, chain: nft.Chain | None) -> Location:
        """The place of a chain, or of a table that lacks one."""
        line = table.line if chain is None else chain.line
        name = None if chain is None else chain.name
        return Location(name, (line or None) if self.has_lines else None, table=_name(table))


class IpvsContext(BackendContext):
    """The virtual servers of one family, with the sets and addresses that kube-proxy keeps for them."""

    def __init__(self, node: AuditedNode, text: SourceText, known: NodeFacts, facts: RulesetFacts, number: int) -> None:
        super().__init__(node, text, facts.source, facts.family, Backend.IPVS, number)
        self.known = known

    @property
    def complete(self) -> bool:
        """Whether all virtual servers are known."""
        return self.known.virtual_servers is not None and self.known.virtual_servers.complete

    @cached_property
    def ipvs(self) -> IpvsNode:
        """The facts that kube-proxy's sets and interface show."""
        from ipt_explain.analyzers.ipvs.node import ipvs_node

        return ipvs_node(self.known, self.family)


def _name(table: nft.Table) -> str:
    return f"{table.family.value} {table.name}"
