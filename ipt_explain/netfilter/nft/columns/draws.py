"""Where rules send packets at random: `numgen random mod 2 vmap { … }`, `dnat to numgen … map { … }`."""

from __future__ import annotations

from ipt_explain.model import nft
from ipt_explain.netfilter.nft.chances import element_shares
from ipt_explain.netfilter.nft.columns.layouts import Layouts
from ipt_explain.netfilter.nft.readings import Chance
from ipt_explain.netfilter.nft.rewriting import fixed_destination
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
        found = element_shares(Chance(numbers.offset, numbers.modulus), data.elements)
        if not found:
            return None
        parts = tuple([share for share, _ in found])
        if isinstance(statement, nft.Nat):
            given = [fixed_destination(statement, _data(element), state) for _, element in found]
            headings = tuple([heading for heading in given if heading is not None])
            return self._draw(parts, headings=headings) if len(headings) == len(found) else None
        leaps = tuple([leap for _, element in found if (leap := leap_of(_data(element))) is not None])
        if len(leaps) < len(found):
            return None
        return self._draw(parts, leaps, tuple([self._layouts.course(table, leap) for leap in leaps]))

    def _draw(
        self, shares: tuple[Probability, ...], leaps: tuple[Leap, ...] = (), courses: tuple[object, ...] = (),
        headings: tuple[Heading, ...] = (),
    ) -> Draw:  # fmt: skip
        even = shares.count(shares[0]) == len(set(leaps or headings)) == len(shares)
        sort = (even, shares[:1] if even else shares, len(shares), courses)
        return Draw(self._sorts.setdefault(sort, len(self._sorts)), even, shares, leaps, headings)


def _data(element: nft.Element | None) -> nft.Verdict | nft.Expression | None:
    return None if element is None else element.data
