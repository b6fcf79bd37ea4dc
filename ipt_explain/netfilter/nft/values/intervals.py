"""Looking a number up among the intervals of a set."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice, pairwise

from ipt_explain.model import Family, nft
from ipt_explain.model.kernel import ADDRESS_BITS
from ipt_explain.netfilter.nft.values.constants import Datatype, canonical
from ipt_explain.netfilter.whereabouts import Whereabouts

NUMBER_BITS = 32


class Intervals:
    """Intervals that do not overlap, each with the place of its element."""

    def __init__(self, spans: Sequence[tuple[int, int, int]]) -> None:
        self._firsts = [first for first, _, _ in spans]
        self._spans = spans

    def find(self, number: int) -> int | None:
        """The place of the interval that a number lies in."""
        at = bisect_right(self._firsts, number) - 1
        if at < 0:
            return None
        _, last, place = self._spans[at]
        return place if number <= last else None

    def meeting(self, address: Whereabouts) -> Iterable[int]:
        """The places of the intervals in which an unknown address may lie."""
        whole = (1 << ADDRESS_BITS[address.family]) - 1
        for value, mask in address.within or ((0, 0),):
            at = max(bisect_right(self._firsts, value) - 1, 0)
            for first, last, place in islice(self._spans, at, None):
                if first > value | whole ^ mask:
                    break
                if last >= value:
                    yield place


def intervals_of(keys: Iterable[tuple[int, nft.Expression, object]], kind: Datatype) -> Intervals | None:
    """The intervals of a set, given as places, keys and their numbers, if they have only one; None if some are
    unreadable, or overlap as the kernel's do not."""
    spans = []
    for place, key, number in keys:
        span = (number, number) if isinstance(number, int) else _span(key, kind)
        if span is None:
            return None
        spans.append((*span, place))
    spans.sort()
    disjoint = all(one[1] < other[0] for one, other in pairwise(spans))
    return Intervals(spans) if disjoint else None


def _span(key: nft.Expression, kind: Datatype) -> tuple[int, int] | None:
    """The first and the last number of an interval."""
    if isinstance(key, nft.Range):
        first, last = canonical(key.first, kind), canonical(key.last, kind)
        return (first, last) if isinstance(first, int) and isinstance(last, int) else None
    base = canonical(key.base, kind) if isinstance(key, nft.Prefix) else None
    if not isinstance(key, nft.Prefix) or not isinstance(base, int):
        return None
    width = NUMBER_BITS
    if kind is Datatype.ADDRESS:
        width = ADDRESS_BITS[Family.IPV6 if ":" in str(key.base) else Family.IPV4]
    hosts = (1 << max(width - key.length, 0)) - 1
    return base & ~hosts, base | hosts
