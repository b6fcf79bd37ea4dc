"""How much of its chains a table's section shows.

iptables-save declares all chains, prints rules chain by chain in that order, and ends with COMMIT. `iptables -S` does
the same without an end, so its last chain may go on. A chain that is used but not declared proves that lines are gone.
"""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.model import Chain, Extent, Form


class Extents:
    """What one section shows of its table, and of each of its chains."""

    def __init__(self, table: Extent, chains: Mapping[str, Extent], otherwise: Extent) -> None:
        self.table = table
        self._chains = chains
        self._otherwise = otherwise

    def of(self, chain: str) -> Extent:
        """How much of a chain's rules the section shows."""
        return self._chains.get(chain, self._otherwise)


WHOLE = Extents(Extent.WHOLE, {}, Extent.WHOLE)
THINNED = Extents(Extent.SOME, {}, Extent.SOME)


def extents_of(form: Form, chains: Mapping[str, Chain], last_chain: str | None, ended: bool) -> Extents:
    """The extents of a section whose `chains` come in the order read; `last_chain` has its last rule, None where it has
    no rules; `ended` tells whether something behind the section proves that the text goes on to its end.
    """
    if form is Form.FRAGMENT or _thinned(chains):
        return THINNED
    if form is Form.RESTORE:
        return Extents(Extent.SOME, {}, Extent.WHOLE)
    if ended:
        return WHOLE
    if last_chain is None:
        return Extents(Extent.START, {}, Extent.START)
    names = list(chains)
    after = names[names.index(last_chain) :]
    return Extents(Extent.WHOLE, dict.fromkeys(after, Extent.START), Extent.WHOLE)


def _thinned(chains: Mapping[str, Chain]) -> bool:
    """Whether a chain is used and filled that the section does not declare, so that lines of it must be gone."""
    undeclared = {name for name, chain in chains.items() if not chain.declared}
    return bool(undeclared) and any(
        chain.target_of(number) in undeclared for chain in chains.values() for number in range(len(chain.layout))
    )
