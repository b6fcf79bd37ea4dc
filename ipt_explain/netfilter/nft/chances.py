"""Random numbers, and the maps and comparisons that use them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache

from ipt_explain.columns import column
from ipt_explain.model import nft
from ipt_explain.netfilter.nft.values.kinds import Chance


def even_share(chance: Chance, elements: Sequence[nft.Element]) -> Fraction | None:
    """The share of each element, if each number has one, in order, as kube-proxy numbers them; None otherwise."""
    count, first = chance.count, chance.first
    if not 0 < count == len(elements):
        return None
    return _fraction(1, count) if list(column(elements, "key")) == list(range(first, first + count)) else None


def element_shares(chance: Chance, elements: Sequence[nft.Element]) -> list[tuple[Fraction, nft.Element | None]]:
    """The elements that may be found, and the share of each; None for numbers without an element."""
    share = even_share(chance, elements)
    if share is not None:
        return [(share, element) for element in elements]
    found: list[tuple[Fraction, nft.Element | None]] = []
    left = chance.count
    otherwise: nft.Element | None = None
    for element in elements:
        if element.key is nft.WILDCARD:
            otherwise = element
            continue
        count = _count(chance, element.key)
        if count:
            found.append((_fraction(count, chance.count), element))
            left -= count
    if left > 0:
        found.append((_fraction(left, chance.count), otherwise))
    return found


def chances(lookup: nft.VerdictMap | nft.MapLookup) -> dict[nft.Element, float] | None:
    """The share of each element of a map with random keys; None for other keys."""
    numbers, data = lookup.key, lookup.data
    if not isinstance(numbers, nft.Numgen) or not isinstance(data, nft.SetLiteral):
        return None
    found = element_shares(Chance(numbers.offset, numbers.modulus), data.elements)
    return {element: float(share) for share, element in found if element is not None}


def draws(rule: nft.Rule) -> Iterator[tuple[nft.Numgen, nft.SetLiteral]]:
    """The random numbers that a rule draws, each with the elements that it chooses from."""
    for each in rule.statements:
        lookup = each.address if isinstance(each, nft.Nat) else each
        if not isinstance(lookup, (nft.MapLookup, nft.VerdictMap)):
            continue
        if isinstance(lookup.key, nft.Numgen) and isinstance(lookup.data, nft.SetLiteral):
            yield lookup.key, lookup.data


@lru_cache(maxsize=4096)
def _fraction(part: int, whole: int) -> Fraction:
    return Fraction(part, whole)


def share_of(chance: Chance, operator: nft.Operator, right: nft.Expression) -> Fraction | None:
    """The share of numbers that satisfy a comparison; None if unknown."""
    if isinstance(right, nft.SetLiteral):
        share = sum(
            (part for part, element in element_shares(chance, right.elements) if element is not None), Fraction(0)
        )
    elif operator in (nft.Operator.EQUAL, nft.Operator.NOT_EQUAL):
        share = Fraction(_count(chance, right), chance.count)
    elif isinstance(right, int):
        limit = right + (operator in (nft.Operator.AT_MOST, nft.Operator.GREATER))
        below = Fraction(min(max(limit - chance.first, 0), chance.count), chance.count)
        return below if operator in (nft.Operator.LESS, nft.Operator.AT_MOST) else 1 - below
    else:
        return None
    return 1 - share if operator is nft.Operator.NOT_EQUAL else share


def _count(chance: Chance, key: nft.Expression) -> int:
    """How many of the numbers a key matches."""
    first, last = (key.first, key.last) if isinstance(key, nft.Range) else (key, key)
    if not isinstance(first, int) or not isinstance(last, int):
        return 0
    return max(0, min(last, chance.first + chance.count - 1) - max(first, chance.first) + 1)
