"""How much of its chains a table's section shows.

iptables-save declares all chains, prints rules chain by chain in that order, and ends with COMMIT. `iptables -S` does
the same without COMMIT, so its last chain may continue. A chain that is used but not declared proves that lines are
missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ipt_explain.model import Chain, Extent, Form
from ipt_explain.patterns import lazy_pattern

_MOST_PASTED = 2000
"""Nobody pastes a table with more chains, and looking for gaps in a large node's table takes time."""
# Other names may belong to targets that the grammar does not know.
_CHAIN = lazy_pattern(r".*[a-z-]")


class Extents:
    """How much one section shows of its table, and of each chain."""

    def __init__(self, table: Extent, chains: Mapping[str, Extent], otherwise: Extent) -> None:
        self.table = table
        self._chains = chains
        self._otherwise = otherwise

    def of(self, chain: str) -> Extent:
        """How much of a chain's rules the section shows."""
        return self._chains.get(chain, self._otherwise)

    def without(self, skipped: set[str | None]) -> Extents:
        """The same after lines of these chains were skipped; None stands for any chain."""
        if not skipped:
            return self
        if None in skipped:
            return HOLED
        holes = {chain: Extent.HOLED for chain in skipped if chain is not None}
        return Extents(self.table, {**self._chains, **holes}, self._otherwise)


WHOLE = Extents(Extent.WHOLE, {}, Extent.WHOLE)
GREPPED = Extents(Extent.SOME, {}, Extent.SOME)
HOLED = Extents(Extent.SOME, {}, Extent.HOLED)


def extents_of(form: Form, chains: Mapping[str, Chain], last_chain: str | None, ended: bool) -> Extents:
    """The extents of a section whose `chains` are in the order read; `last_chain` has its last rule, None if it has no
    rules; `ended` says whether something after the section proves that it is not cut off."""
    if is_thinned(chains) or (form is Form.LISTING and _lacks_declarations(chains)):
        return HOLED
    if form is Form.FRAGMENT:
        return GREPPED
    if form is Form.RESTORE:
        undeclared = (name for name, chain in chains.items() if not chain.declared)
        return Extents(Extent.SOME, dict.fromkeys(undeclared, Extent.SOME), Extent.WHOLE)
    if ended:
        return WHOLE
    if last_chain is None:
        return Extents(Extent.START, {}, Extent.START)
    names = list(chains)
    after = names[names.index(last_chain) :]
    return Extents(Extent.WHOLE, dict.fromkeys(after, Extent.START), Extent.WHOLE)


def is_thinned(chains: Mapping[str, Chain], saved: bool = False) -> bool:
    """Whether lines are missing: the section uses and fills a chain without declaring it, or, if it was `saved` from a
    kernel, uses a chain that it lacks."""
    undeclared = {name for name, chain in chains.items() if chain.line is None}
    if not undeclared and not (saved and len(chains) <= _MOST_PASTED):
        return False
    used = {name for chain in chains.values() for name in _jumped_to(chain)}
    return not used.isdisjoint(undeclared) or (saved and any(map(_CHAIN.match, used - chains.keys())))


def _lacks_declarations(chains: Mapping[str, Chain]) -> bool:
    """Whether a listing fills chains that it does not declare, as `iptables -S | grep` leaves it."""
    return any(chain.line is None for chain in chains.values())


def _jumped_to(chain: Chain) -> Iterator[str]:
    for number, shape in enumerate(chain.layout.shapes):
        if shape.target is not None and shape.target.slot is not None:
            yield chain.values[chain.layout.offsets[number] + shape.target.slot]
