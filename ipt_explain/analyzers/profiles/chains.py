"""Facts about a single chain: who wrote it, who calls it, which hooks lead to it."""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence

from ipt_explain.analyzers.names import ChainRole, role_of
from ipt_explain.analyzers.owners.owner import Owner, owner_of
from ipt_explain.analyzers.selection import Glob
from ipt_explain.collector import collector_paused
from ipt_explain.errors import UsageError
from ipt_explain.graph.chains import ChainGraph
from ipt_explain.graph.jumps import Jump
from ipt_explain.model import Chain, Rule, Ruleset, Table
from ipt_explain.netfilter.hooks import is_built_in
from ipt_explain.records import Record

SUGGESTIONS = 3
_COMPARED = 2000


class TablePlace(Record, eq=False):
    """A table with its ruleset and its graph."""

    ruleset: Ruleset
    table: Table
    graph: ChainGraph


class ChainFacts(Record, eq=False):
    """A chain and its table. `callers` are the jumps that lead to it, in the order of the text; `hooks` are the
    built-in chains from which packets can reach it. `chain` is None if it is only jumped to."""

    place: TablePlace
    name: str
    chain: Chain | None
    owner: Owner | None
    callers: tuple[Jump, ...]
    hooks: tuple[str, ...]

    @property
    def built_in(self) -> bool:
        """Whether the kernel itself sends packets there."""
        return is_built_in(self.place.table.name, self.name)


def places(rulesets: Iterable[Ruleset], table: str | None = None) -> tuple[TablePlace, ...]:
    """All tables of the rulesets, or those of one name. Raises UsageError if none has that name."""
    rulesets = tuple(rulesets)
    with collector_paused():
        found = tuple(
            TablePlace(ruleset, content, ChainGraph.of(content, ruleset.form))
            for ruleset in rulesets
            for content in ruleset.tables.values()
            if table is None or content.name == table
        )
    if not found and table is not None:
        there = sorted({name for ruleset in rulesets for name in ruleset.tables})
        raise UsageError(f"there is no table {table} here, only {', '.join(there) or 'none at all'}")
    return found


class Owners:
    """Who wrote the chains of a table, and why. A large dump has a hundred thousand of kube-proxy's hashed chains: all
    of one role get the same answer, without a check of their hashes."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._by_role: dict[ChainRole, Owner | None] = {}

    def of(self, name: str) -> Owner | None:
        """The owner of a chain, None if unknown."""
        role = role_of(name)
        if role is None:
            return owner_of(name, _rules(self._table.chains.get(name)), self._table.name)
        if role not in self._by_role:
            self._by_role[role] = owner_of(name, (), self._table.name)
        return self._by_role[role]


def _rules(chain: Chain | None) -> Iterator[Rule]:
    """The rules of a chain, if it is there."""
    return iter(()) if chain is None else chain.each_rule()


def _chain_facts(place: TablePlace, name: str) -> ChainFacts:
    """The facts of one chain of a table."""
    graph = place.graph
    chain = place.table.chains.get(name)
    leading = graph.leading_to(name)
    return ChainFacts(
        place,
        name,
        chain,
        owner_of(name, _rules(chain), place.table.name),
        graph.callers(name),
        tuple(hook for hook in graph.hooks if hook in leading and hook != name),
    )


def find_chains(
    among: Sequence[TablePlace],
    names: Iterable[str],
    depth: int = 0,
    otherwise: Callable[[str], Sequence[str]] = lambda name: (),
    services: Callable[[], Iterable[str]] | None = None,
) -> list[ChainFacts]:
    """The chains of these names or globs, in all tables, and those that they lead to in up to `depth` jumps. If no
    chain has a name, it means the chains that `otherwise` returns: those of one of the `services`, if these are given.

    Raises UsageError, with the closest names, for a name that no table has, not even as the target of a jump.
    """
    found: list[ChainFacts] = []
    for name in names:
        chosen = [(place, chain) for place in among for chain in _meant(place, name)]
        if not chosen:
            chosen = [(place, chain) for each in otherwise(name) for place in among for chain in _meant(place, each)]
        if not chosen:
            what = "chain" if services is None else "chain or Service"
            near = _suggestion(name, among, () if services is None else services())
            raise UsageError(f"there is no {what} {name} here{near}")
        for place, chain in chosen:
            found += [_chain_facts(place, below) for below in _unfolded(place, chain, depth)]
    return list({(id(facts.place), facts.name): facts for facts in found}.values())


def _meant(place: TablePlace, name: str) -> list[str]:
    chains = place.table.chains
    if name in chains or place.graph.is_called(name):
        return [name]
    if any(sign in name for sign in "*?["):
        glob = Glob.of(name)
        return [chain for chain in chains if glob.fits(chain)]
    return []


def _unfolded(place: TablePlace, chain: str, depth: int) -> list[str]:
    """The chain and those below it, level by level, each once."""
    found = {chain: None}
    level = [chain]
    for _ in range(depth):
        level = [target for name in level for target in place.graph.targets.get(name, ()) if target not in found]
        if not level:
            break
        found.update(dict.fromkeys(level))
    return list(found)


def _suggestion(name: str, among: Sequence[TablePlace], services: Iterable[str]) -> str:
    by_case = {chain.lower(): chain for place in among for chain in place.table.chains}
    by_case.update((service.lower(), service) for service in services)
    word = name.lower()
    near = [chain for chain in by_case if word in chain][:SUGGESTIONS]
    if not near:
        near = difflib.get_close_matches(word, _alike(word, list(by_case)), SUGGESTIONS, cutoff=0.5)
    return "; the nearest: " + ", ".join(by_case[chain] for chain in near) if near else ""


def _alike(word: str, names: list[str]) -> list[str]:
    """Names to compare letter by letter: all, or if there are very many, those that begin most similarly."""
    if len(names) <= _COMPARED:
        return names
    names.sort()
    place = bisect_left(names, word)
    return names[max(0, place - _COMPARED // 2) : place + _COMPARED // 2]
