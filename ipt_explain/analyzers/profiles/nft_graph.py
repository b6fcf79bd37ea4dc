"""The chain graph of an nftables table, and the rules that use its sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from ipt_explain.model import nft
from ipt_explain.netfilter.nft.jumps import NftJump, jumps


class NftGraph:
    """The chain graph of one table. Nothing recurses, and each element is visited once for each rule that uses its
    set."""

    def __init__(self, table: nft.Table) -> None:
        self.table = table
        self.leaving: dict[str, list[NftJump]] = {}
        self.entering: dict[str, list[NftJump]] = {}
        for chain in table.chains.values():
            for jump in jumps(table, chain):
                self.leaving.setdefault(jump.source, []).append(jump)
                self.entering.setdefault(jump.target, []).append(jump)

    @property
    def jumps(self) -> Iterator[NftJump]:
        """All jumps, in the order of chains and rules."""
        return (jump for jumps in self.leaving.values() for jump in jumps)

    @cached_property
    def bases(self) -> tuple[nft.Chain, ...]:
        """The chains that the kernel enters."""
        return tuple(chain for chain in self.table.chains.values() if chain.base is not None)

    @cached_property
    def askers(self) -> Mapping[str, list[tuple[nft.Chain, nft.Rule]]]:
        """The rules that use each set or map."""
        found: dict[str, list[tuple[nft.Chain, nft.Rule]]] = {}
        for chain, rule in self.table.each_rule():
            for name in dict.fromkeys(map(_set_asked, rule.statements)):
                if name is not None:
                    found.setdefault(name, []).append((chain, rule))
        return found

    @cached_property
    def _targets(self) -> Mapping[str, list[str]]:
        return {name: [jump.target for jump in jumps] for name, jumps in self.leaving.items()}

    @cached_property
    def reached_from(self) -> Mapping[str, tuple[str, ...]]:
        """The base chains from which packets can reach each chain."""
        found: dict[str, list[str]] = {}
        for base in self.bases:
            for name in self.below([base.name]):
                if name != base.name:
                    found.setdefault(name, []).append(base.name)
        return {name: tuple(bases) for name, bases in found.items()}

    @property
    def missing(self) -> tuple[NftJump, ...]:
        """Jumps to chains that do not exist."""
        return tuple(jump for jump in self.jumps if jump.target not in self.table.chains)

    @property
    def all_chains(self) -> list[str]:
        """The chains, followed by missing ones that something leads to."""
        return [*self.table.chains, *dict.fromkeys(jump.target for jump in self.missing)]

    @property
    def unreached(self) -> tuple[str, ...]:
        """Chains with rules that no base chain leads to."""
        return tuple(
            chain.name
            for chain in self.table.chains.values()
            if chain.rules and chain.base is None and chain.name not in self.reached_from
        )

    def below(self, names: Iterable[str], depth: int | None = None) -> list[str]:
        """These chains and those that they lead to, in up to `depth` jumps."""
        return _walk(names, self._targets, depth)

    def around(self, names: Iterable[str]) -> tuple[list[str], list[NftJump]]:
        """What leads to these chains, and what they lead to, with the jumps between them."""
        centres = list(names)
        below = set(self.below(centres))
        sources = {name: [jump.source for jump in jumps] for name, jumps in self.entering.items()}
        above = set(_walk(centres, sources))
        jumps = [jump for jump in self.jumps if jump.source in below or (jump.source in above and jump.target in above)]
        return [name for name in self.all_chains if name in below or name in above], jumps


def _set_asked(statement: nft.Statement) -> str | None:
    """The named set that a statement uses."""
    data: object = None
    if isinstance(statement, nft.Match):
        data = statement.right
    elif isinstance(statement, nft.VerdictMap):
        data = statement.data
    elif isinstance(statement, nft.SetUpdate):
        data = statement.target
    elif isinstance(statement, (nft.Nat, nft.Mangle)):
        given = statement.address if isinstance(statement, nft.Nat) else statement.value
        data = given.data if isinstance(given, nft.MapLookup) else None
    return data.name if isinstance(data, nft.SetReference) else None


def _walk(names: Iterable[str], leads: Mapping[str, list[str]], depth: int | None = None) -> list[str]:
    found = dict.fromkeys(names)
    level, left = list(found), depth
    while level and left != 0:
        level = list(dict.fromkeys(target for name in level for target in leads.get(name, ()) if target not in found))
        found.update(dict.fromkeys(level))
        left = None if left is None else left - 1
    return list(found)
