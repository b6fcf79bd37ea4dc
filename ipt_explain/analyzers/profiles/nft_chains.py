"""What `show` asks of a chain of nftables: who leads to it, and which Service it is for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from ipt_explain.analyzers.nftables.names import ProxyChain, proxy_chain
from ipt_explain.analyzers.nftables.tables import TABLE
from ipt_explain.model.nft import Chain, Rule, Ruleset, SetLiteral, Table, Verdict, VerdictMap
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class NftCaller:
    """What leads to a chain: a rule of another one, or an element of a map (`held`), on a line of the text."""

    chain: str | None
    held: str | None
    line: int


@dataclass(frozen=True, slots=True)
class NftChainFacts:
    """A chain of nftables, with what leads to it; `known` is what its name tells, of those of kube-proxy's Services."""

    ruleset: Ruleset
    table: Table
    chain: Chain
    callers: tuple[NftCaller, ...]
    known: ProxyChain | None

    @property
    def is_proxys(self) -> bool:
        """Whether kube-proxy wrote it."""
        return self.table.name == TABLE


def nft_chains(
    rulesets: Sequence[Ruleset], names: Sequence[str], table: str | None
) -> tuple[list[NftChainFacts], list[str]]:
    """The chains that fit the names (globs, or a Service's name), and the names that none fits."""
    found: list[NftChainFacts] = []
    left = list(names)
    for ruleset in rulesets:
        for held in ruleset.tables.values():
            if table not in (None, held.name, f"{held.family.value} {held.name}"):
                continue
            callers = _callers(held)
            for chain in held.chains.values():
                fitting = [name for name in names if _fits(name, chain.name)]
                if fitting:
                    leading = tuple(callers.get(chain.name, ()))
                    found.append(NftChainFacts(ruleset, held, chain, leading, proxy_chain(chain.name)))
                    left = [name for name in left if name not in fitting]
    return found, left


def _fits(wanted: str, name: str) -> bool:
    if fnmatchcase(name, wanted):
        return True
    known = proxy_chain(name)
    if known is None:
        return False
    service = f"{known.port.namespace}/{known.port.name}"
    return wanted in (known.port.name, service, f"{service}:{known.port.port}")


def _callers(table: Table) -> dict[str, list[NftCaller]]:
    """What leads to each chain of a table."""
    found: dict[str, list[NftCaller]] = {}
    for chain in table.chains.values():
        for rule in chain.rules:
            for target in dict.fromkeys(_targets(rule)):
                found.setdefault(target, []).append(NftCaller(chain.name, None, rule.line))
    for held in table.sets.values():
        for element in held.elements:
            if isinstance(element.data, Verdict) and element.data.chain is not None:
                caller = NftCaller(None, held.name, element.line or held.line)
                found.setdefault(element.data.chain, []).append(caller)
    return found


def _targets(rule: Rule) -> Iterator[str]:
    for statement in rule.statements:
        if isinstance(statement, Verdict) and statement.chain is not None:
            yield statement.chain
        elif isinstance(statement, VerdictMap) and isinstance(statement.data, SetLiteral):
            for element in statement.data.elements:
                if isinstance(element.data, Verdict) and element.data.chain is not None:
                    yield element.data.chain
