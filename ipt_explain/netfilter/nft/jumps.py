"""Jumps between the chains of an nftables table: verdicts of rules, and elements of the maps that rules look up."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.model import nft
from ipt_explain.netfilter.nft.chances import chances
from ipt_explain.records import Record


class NftJump(Record, eq=False):
    """A rule of chain `source` that leads to chain `target`, directly or by an `element` of a map: the named map
    `held`, or one written in the rule. `share` is the part of the packets reaching the rule, if it chooses at
    random."""

    source: str
    target: str
    rule: nft.Rule
    goto: bool
    held: nft.Set | None = None
    element: nft.Element | None = None
    share: float | None = None

    @property
    def line(self) -> int:
        """The line of the element, or of the rule."""
        return (self.element.line if self.element is not None else 0) or self.rule.line


def jumps(table: nft.Table, chain: nft.Chain) -> Iterator[NftJump]:
    """All jumps of a chain, in the order of its rules, even to chains that do not exist."""
    for rule in chain.rules:
        for statement in rule.statements:
            if isinstance(statement, nft.Verdict):
                if statement.chain is not None:
                    yield NftJump(chain.name, statement.chain, rule, statement.kind is nft.VerdictKind.GOTO)
            elif isinstance(statement, nft.VerdictMap):
                yield from _by_map(table, chain, rule, statement)


def _by_map(table: nft.Table, chain: nft.Chain, rule: nft.Rule, lookup: nft.VerdictMap) -> Iterator[NftJump]:
    held = table.sets.get(lookup.data.name) if isinstance(lookup.data, nft.SetReference) else None
    data = lookup.data if not isinstance(lookup.data, nft.SetReference) else held
    if data is None:
        return
    drawn = chances(lookup)
    for element in data.elements:
        given = element.data
        if isinstance(given, nft.Verdict) and given.chain is not None:
            share = None if drawn is None else drawn.get(element)
            yield NftJump(chain.name, given.chain, rule, given.kind is nft.VerdictKind.GOTO, held, element, share)
