"""A summary of a table, by who wrote its chains."""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.analyzers.names import role_of
from ipt_explain.analyzers.owners.owner import Owner, owner_of_rule
from ipt_explain.analyzers.profiles.chains import Owners, TablePlace
from ipt_explain.graph.cycles import Cycle
from ipt_explain.graph.jumps import Jump
from ipt_explain.model import Chain, Rule
from ipt_explain.records import Record


class Possession(Record, eq=False):
    """One owner's chains in a table; the owner None means unknown.

    `chains` are the chains' names and how many there are of each: kube-proxy's hashed ones count together, as
    `KUBE-SVC-…`.
    """

    owner: str | None
    chains: Mapping[str, int]
    rules: int

    @property
    def chain_count(self) -> int:
        """The number of chains."""
        return sum(self.chains.values())


class HookFacts(Record, eq=False):
    """A built-in chain, and each of its rules with its owner."""

    chain: Chain
    rules: tuple[tuple[Rule, Owner | None], ...]


class TableFacts(Record, eq=False):
    """A table: its hooks, its other chains by owner, and what is odd about its graph.

    `unreachable` are chains with rules that no hook leads to; empty if the text is only a part.
    """

    place: TablePlace
    hooks: tuple[HookFacts, ...]
    possessions: tuple[Possession, ...]
    unreachable: tuple[str, ...]
    dangling: tuple[Jump, ...]
    cycles: tuple[Cycle, ...]


def table_facts(place: TablePlace) -> TableFacts:
    """The table's summary: owners with most chains first, chains without a known owner last."""
    table, graph = place.table, place.graph
    owners = Owners(table)
    chains: dict[str | None, dict[str, int]] = {}
    rules: dict[str | None, int] = {}
    for name, chain in table.chains.items():
        if name in graph.hooks:
            continue
        found = owners.of(name)
        owner = found.name if found is not None else None
        role = role_of(name)
        label = name if role is None else f"{role.value}…"
        counts = chains.setdefault(owner, {})
        counts[label] = counts.get(label, 0) + 1
        rules[owner] = rules.get(owner, 0) + len(chain.layout)
    possessions = [Possession(owner, counts, rules[owner]) for owner, counts in chains.items()]
    possessions.sort(key=lambda one: (one.owner is None, -one.chain_count))
    partial = place.ruleset.fragment
    return TableFacts(
        place,
        tuple(_hook(table.chains[name], table.name) for name in graph.hooks),
        tuple(possessions),
        () if partial else tuple(name for name in graph.unreachable if len(table.chains[name].layout)),
        () if partial else graph.dangling,
        graph.cycles,
    )


def _hook(chain: Chain, table: str) -> HookFacts:
    return HookFacts(chain, tuple((rule, owner_of_rule(rule, table)) for rule in chain.rules))
