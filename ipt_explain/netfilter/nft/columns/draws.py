"""Where rules send packets at random: `numgen random mod 2 vmap { … }`, `dnat to numgen … map { … }`."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.columns import column, constant
from ipt_explain.model import nft
from ipt_explain.netfilter.nft.chances import element_shares, even_share
from ipt_explain.netfilter.nft.columns.layouts import Layouts
from ipt_explain.netfilter.nft.rewriting import fixed_destination, fixed_destinations
from ipt_explain.netfilter.nft.values.kinds import Chance
from ipt_explain.netfilter.nft.ways import Leap, leap_of
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability
from ipt_explain.records import NamedTuple


class Draw(NamedTuple):
    """The chains or destinations that a rule chooses from, with the share of each. They are `even` if they differ and
    are equally likely. Draws of one `sort` have the same shares and layouts, and are even or not alike."""

    sort: int
    even: bool
    shares: tuple[Probability, ...]
    leaps: tuple[Leap, ...] = ()
    headings: tuple[Heading, ...] = ()


class Draws:
    """The draws of rules, for packets of one family. Each is read once."""

    def __init__(self, layouts: Layouts) -> None:
        self._layouts = layouts
        self._of: dict[nft.Rule, Draw | None] = {}
        self._sorts: dict[object, int] = {}

    def of(self, table: nft.Table, rule: nft.Rule, number: int, state: PacketState) -> Draw | None:
        """The draw of a rule's statement; None unless it always leads to a chain of the table, or to an address and
        port."""
        if rule not in self._of:
            self._of[rule] = self._read(table, rule.statements[number], state)
        return self._of[rule]

    def _read(self, table: nft.Table, statement: nft.Statement, state: PacketState) -> Draw | None:
        if isinstance(statement, nft.Nat) and not isinstance(statement.address, nft.MapLookup):
            heading = fixed_destination(statement, statement.address, state)
            return None if heading is None else self._draw((ALWAYS,), headings=(heading,))
        lookup = statement.address if isinstance(statement, nft.Nat) else statement
        if not isinstance(lookup, (nft.MapLookup, nft.VerdictMap)):
            return None
        numbers, data = lookup.key, lookup.data
        if not isinstance(numbers, nft.Numgen) or not isinstance(data, nft.SetLiteral):
            return None
        chance = Chance(numbers.offset, numbers.modulus)
        given: Sequence[nft.Verdict | nft.Expression | None]
        share = even_share(chance, data.elements)
        if share is not None:
            parts: Sequence[Probability] = constant(share, len(data.elements))
            given = column(data.elements, "data")
        else:
            found = element_shares(chance, data.elements)
            if not found:
                return None
            parts = [each for each, _ in found]
            given = [None if element is None else element.data for _, element in found]
        if isinstance(statement, nft.Nat):
            headings = fixed_destinations(statement, given, state)
            return None if headings is None else self._draw(tuple(parts), headings=tuple(headings))
        leaps = tuple([leap for each in given if (leap := leap_of(each)) is not None])
        if len(leaps) < len(given):
            return None
        return self._draw(tuple(parts), leaps, tuple([self._layouts.course(table, leap) for leap in leaps]))

    def _draw(
        self, shares: tuple[Probability, ...], leaps: tuple[Leap, ...] = (), courses: tuple[object, ...] = (),
        headings: tuple[Heading, ...] = (),
    ) -> Draw:  # fmt: skip
        even = shares.count(shares[0]) == len(set(leaps or headings)) == len(shares)
        sort = (even, shares[:1] if even else shares, len(shares), courses)
        return Draw(self._sorts.setdefault(sort, len(self._sorts)), even, shares, leaps, headings)

