"""What leads to the chains of kube-proxy's table: rules, and elements of maps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from ipt_explain.audit.backends import NftContext
from ipt_explain.audit.fact import fact
from ipt_explain.audit.findings.place import Place
from ipt_explain.model.nft import Chain, Element, Rule, Set, SetLiteral, SetReference, Table, Verdict, VerdictMap
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class Reference:
    """A rule of `chain`, or an element of the map `held`, that leads to the chain `target`."""

    target: str
    chain: Chain | None
    rule: Rule | None
    held: Set | None = None
    element: Element | None = None

    @property
    def whose(self) -> str:
        """Where it is, in words."""
        return f"map {self.held.name}" if self.held is not None else f"chain {self.chain.name}" if self.chain else ""

    def place(self, context: NftContext, table: Table) -> Place:
        """Where it is."""
        if self.chain is not None and self.rule is not None:
            return context.at_rule(table, self.chain, self.rule)
        assert self.element is not None and self.held is not None
        return context.at_element(table, self.held, self.element)


@fact
def references(context: NftContext) -> Mapping[str, list[Reference]]:
    """All that leads to each chain of kube-proxy's table, whether the chain is there or not."""
    found: dict[str, list[Reference]] = defaultdict(list)
    for each in _all(context.proxy) if context.proxy is not None else ():
        found[each.target].append(each)
    return found


def _all(table: Table) -> Iterator[Reference]:
    asked: set[str] = set()
    for chain in table.chains.values():
        for rule in chain.rules:
            for statement in rule.statements:
                if isinstance(statement, Verdict) and statement.chain is not None:
                    yield Reference(statement.chain, chain, rule)
                elif isinstance(statement, VerdictMap):
                    if isinstance(statement.data, SetLiteral):
                        for element in statement.data.elements:
                            if isinstance(element.data, Verdict) and element.data.chain is not None:
                                yield Reference(element.data.chain, chain, rule)
                    elif isinstance(statement.data, SetReference):
                        asked.add(statement.data.name)
    for name in asked & table.sets.keys():
        held = table.sets[name]
        for element in held.elements:
            if isinstance(element.data, Verdict) and element.data.chain is not None:
                yield Reference(element.data.chain, None, None, held, element)
