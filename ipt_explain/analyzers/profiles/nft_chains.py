"""Facts about nftables chains, sets and tables for `show`: who wrote them, what leads to them, what they are for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from ipt_explain.analyzers.nftables.masquerading import masquerade_mark
from ipt_explain.analyzers.nftables.names import proxy_chain
from ipt_explain.analyzers.nftables.purposes import purpose_of
from ipt_explain.analyzers.nftables.tables import TABLE
from ipt_explain.analyzers.owners.nft_tables import owner_of_nft_chain, owner_of_nft_table
from ipt_explain.analyzers.owners.owner import owner_of
from ipt_explain.analyzers.profiles.nft_graph import NftGraph
from ipt_explain.errors import UsageError
from ipt_explain.model import nft
from ipt_explain.netfilter.nft.jumps import NftJump
from ipt_explain.records import Record


class NftPlace(Record, eq=False):
    """A table with its ruleset and its graph. `marks` names bits of the mark."""

    ruleset: nft.Ruleset
    table: nft.Table
    graph: NftGraph
    marks: Mapping[int, str]

    @property
    def name(self) -> str:
        """The table as nft names it: `ip kube-proxy`."""
        return f"{self.table.family.value} {self.table.name}"

    def line(self, line: int) -> int | None:
        """A line of the text; None in JSON, which has none."""
        return line if line and self.ruleset.has_lines else None


class NftChainFacts(Record, eq=False):
    """An nftables chain: who wrote it and why, if known, and what leads to it. `chain` is None if it does not exist."""

    place: NftPlace
    name: str
    chain: nft.Chain | None
    owner: str | None
    purpose: str | None
    callers: tuple[NftJump, ...]
    hooks: tuple[str, ...]


class NftSetFacts(Record, eq=False):
    """A set or map, and the rules that use it, each with its chain."""

    place: NftPlace
    held: nft.Set
    askers: tuple[tuple[nft.Chain, nft.Rule], ...]


class NftTableFacts(Record, eq=False):
    """The summary of a table. `chains` counts regular chains, those of Services by kind (`service-…`). `unreached`
    chains have rules but no hook leads to them; `missing` are jumps to chains that do not exist; both are empty if the
    text is only a part. kube-proxy keeps some chains whether a Service needs them or not."""

    place: NftPlace
    owner: str | None
    chains: Mapping[str, int]
    rules: int
    unreached: tuple[str, ...]
    missing: tuple[NftJump, ...]


def nft_places(rulesets: Iterable[nft.Ruleset], table: str | None) -> list[NftPlace]:
    """All tables of the rulesets, or those of one name, with or without their family."""
    found = []
    for ruleset in rulesets:
        for held in ruleset.tables.values():
            if table in (None, held.name, f"{held.family.value} {held.name}"):
                mark = masquerade_mark(held) if held.name == TABLE else None
                marks = {} if mark is None else {mark[0]: "the masquerade mark"}
                found.append(NftPlace(ruleset, held, NftGraph(held), marks))
    return found


def nft_chains(
    places: Sequence[NftPlace],
    names: Sequence[str],
    depth: int = 0,
    otherwise: Callable[[str], Iterable[str]] = lambda name: (),
) -> tuple[list[NftChainFacts], list[NftSetFacts], list[str]]:
    """The chains and sets that match the names (globs, or a Service's name), chains with those that they lead to in up
    to `depth` jumps, and the names that match nothing. If no chain has a name, it means the chains that `otherwise`
    returns."""
    found = _found(places, names, depth)
    more = {name: list(otherwise(name)) for name in found[2]}
    if not any(more.values()):
        return found
    chains, _, _ = _found(places, [chain for chains in more.values() for chain in chains], depth)
    return [*found[0], *chains], found[1], [name for name, meant in more.items() if not meant]


def _found(
    places: Sequence[NftPlace], names: Sequence[str], depth: int
) -> tuple[list[NftChainFacts], list[NftSetFacts], list[str]]:
    chains: list[NftChainFacts] = []
    sets: list[NftSetFacts] = []
    left = list(names)
    for place in places:
        wanted: dict[str, None] = {}
        for name in place.graph.all_chains:
            fitting = [each for each in names if _fits(each, name)]
            if fitting:
                wanted.update(dict.fromkeys(place.graph.below([name], depth)))
                left = [each for each in left if each not in fitting]
        chains += [_chain_facts(place, name) for name in wanted]
        for held in place.table.sets.values():
            fitting = [each for each in names if fnmatchcase(held.name, each.removeprefix("@"))]
            if fitting:
                sets.append(NftSetFacts(place, held, tuple(place.graph.askers.get(held.name, ()))))
                left = [each for each in left if each not in fitting]
    return chains, sets, left


def no_such(names: Sequence[str]) -> UsageError:
    """The error for names that match nothing."""
    return UsageError(f"there is no chain or set {', '.join(names)} here")


def _chain_facts(place: NftPlace, name: str) -> NftChainFacts:
    """The facts of one chain."""
    chain = place.table.chains.get(name)
    owner, purpose = owner_of_chain(place.table, name)
    graph = place.graph
    return NftChainFacts(
        place, name, chain, owner, purpose, tuple(graph.entering.get(name, ())), graph.reached_from.get(name, ())
    )


def table_facts(place: NftPlace) -> NftTableFacts:
    """The table's summary."""
    counts: Counter[str] = Counter()
    for chain in place.table.chains.values():
        if chain.base is None:
            known = proxy_chain(chain.name)
            counts[chain.name if known is None else f"{known.kind.value}-…"] += 1
    partial, owner = place.ruleset.fragment, _owner_of_table(place.table)
    kept = place.table.name == TABLE
    unreached = tuple(name for name in place.graph.unreached if not kept or proxy_chain(name) or not purpose_of(name))
    return NftTableFacts(
        place,
        owner,
        dict(counts),
        place.table.rule_count,
        () if partial else unreached,
        () if partial else place.graph.missing,
    )


def _owner_of_table(table: nft.Table) -> str | None:
    """Who made a table; None if nothing shows it."""
    if table.name == TABLE:
        return "kube-proxy"
    return "iptables-nft" if table.xtables else owner_of_nft_table(table.name)


def owner_of_chain(table: nft.Table, name: str) -> tuple[str | None, str | None]:
    """Who made a chain and why, if known."""
    if table.name == TABLE:
        return "kube-proxy", purpose_of(name)
    owner = owner_of(name, (), table.name) if table.xtables else owner_of_nft_chain(table.name, name)
    return (None, None) if owner is None else (owner.name, owner.purpose)


def _fits(wanted: str, name: str) -> bool:
    if fnmatchcase(name, wanted):
        return True
    known = proxy_chain(name)
    if known is None:
        return False
    service = f"{known.port.namespace}/{known.port.name}"
    return wanted in (known.port.name, service, f"{service}:{known.port.port}")
