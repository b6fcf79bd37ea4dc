"""Tables, chains, rules and sets of nftables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from ipt_explain.enums import Enum
from ipt_explain.model.kernel import Family
from ipt_explain.model.nft.expressions import Element
from ipt_explain.model.nft.statements import Statement
from ipt_explain.records import Record, field

Kind = TypeVar("Kind", bound=Statement)


class TableFamily(Enum):
    """Which packets a table sees. `INET` sees those of both IP families."""

    IP = "ip"
    IP6 = "ip6"
    INET = "inet"
    ARP = "arp"
    BRIDGE = "bridge"
    NETDEV = "netdev"

    def sees(self, family: Family) -> bool:
        """Whether packets of an IP family pass such a table."""
        return self is TableFamily.INET or self is (TableFamily.IP if family is Family.IPV4 else TableFamily.IP6)


class Rule(Record, eq=False):
    """One rule. Rules compare by identity: two equal lines are two rules.

    `line` is 1-based; rules from JSON have the document's first line. `source_text` is the rule in the source, without
    its handle; None if read from JSON.
    """

    statements: tuple[Statement, ...]
    comment: str | None
    line: int
    handle: int | None = None
    source_text: str | None = None

    @property
    def text(self) -> str:
        """The rule as nft prints it."""
        if self.source_text is not None:
            return self.source_text
        from ipt_explain.model.nft.printing import rule_text

        return rule_text(self.statements, self.comment)

    @property
    def last(self) -> Statement | None:
        """Its last statement; None if it has none."""
        return self.statements[-1] if self.statements else None

    def of(self, kind: type[Kind]) -> list[Kind]:
        """Its statements of one kind, in order."""
        return [each for each in self.statements if isinstance(each, kind)]


class BaseChain(Record):
    """How the kernel enters a chain.

    `type` is `filter`, `nat` or `route`, `hook` nft's name of the hook. The chain with the lower `priority` runs first.
    `policy` is `accept` or `drop`.
    """

    type: str
    hook: str
    priority: int
    policy: str = "accept"
    devices: tuple[str, ...] = ()


class Chain(Record, eq=False):
    """A chain and its rules in order; `base` is None for a regular chain, which only other chains lead to."""

    name: str
    rules: tuple[Rule, ...]
    base: BaseChain | None = None
    comment: str | None = None
    line: int = 0


class Set(Record, eq=False):
    """A named set, or a map if it has `data_types` (`verdict` for a verdict map).

    `types` are those of the key's parts, as nft names them. `flags` are `interval`, `timeout`, `dynamic`, `constant`;
    JSON of nft 1.0.6 lacks `dynamic`. `timeout` is in seconds. `statements` are copied into every new element.
    """

    name: str
    types: tuple[str, ...]
    data_types: tuple[str, ...] | None = None
    flags: frozenset[str] = frozenset()
    timeout: int | None = None
    size: int | None = None
    elements: Sequence[Element] = ()
    statements: tuple[Statement, ...] = ()
    comment: str | None = None
    line: int = 0
    elided: bool = field(default=False, compare=False)

    @property
    def is_map(self) -> bool:
        """Whether elements have data."""
        return self.data_types is not None


class Table(Record, eq=False):
    """One table. Sets and maps share one namespace.

    The kernel skips `dormant` tables. `objects` are the named counters, quotas, helpers, flow tables, as `kind name`.
    `xtables` says that iptables-nft made the table: nft does not print everything in its rules.
    """

    family: TableFamily
    name: str
    chains: Mapping[str, Chain]
    sets: Mapping[str, Set]
    comment: str | None = None
    dormant: bool = False
    objects: tuple[str, ...] = ()
    xtables: bool = False
    line: int = 0

    def each_rule(self) -> Iterator[tuple[Chain, Rule]]:
        """All rules, chain by chain, each with its chain."""
        return ((chain, rule) for chain in self.chains.values() for rule in chain.rules)

    def rules(self, chain: str) -> tuple[Rule, ...]:
        """The rules of a chain by name; none if the table lacks it."""
        found = self.chains.get(chain)
        return () if found is None else found.rules

    @property
    def rule_count(self) -> int:
        """How many rules its chains hold."""
        return sum(len(chain.rules) for chain in self.chains.values())


class Ruleset(Record, eq=False):
    """The nftables tables of one source, by family and name, in the order read.

    `generator` is the nft release if the text names it (JSON). `fragment` says that something is missing: the text
    is cut, or elements were left out.
    """

    source: str
    tables: Mapping[tuple[TableFamily, str], Table]
    generator: str | None = None
    fragment: bool = False

    @property
    def has_lines(self) -> bool:
        """Whether rules have line numbers of their own; those from JSON do not."""
        first = next((rule for table in self.tables.values() for _, rule in table.each_rule()), None)
        return first is None or first.source_text is not None
