"""A long chain by destination: most of its rules are for one address each, and are passed over without being asked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from heapq import merge

from ipt_explain.model import Rule
from ipt_explain.netfilter.addresses import network_bits

WORTH_AN_INDEX = 32
"""Chains with fewer rules than this are asked one by one."""

_WHOLE_ADDRESS = frozenset({(1 << 32) - 1, (1 << 128) - 1})


class RuleIndex:
    """The places of the rules with `-d ADDRESS`, by address, and of all others."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._by_destination: dict[int, list[int]] = {}
        self._others: list[int] = []
        for place, rule in enumerate(rules):
            address = _only_destination(rule)
            if address is None:
                self._others.append(place)
            else:
                self._by_destination.setdefault(address, []).append(place)

    def candidates(self, start: int, destination: int) -> Iterator[int]:
        """The places, from `start` on and in order, of the rules that a packet to this destination may match."""
        exact = self._by_destination.get(destination, ())
        return merge(_behind(exact, start), _behind(self._others, start))


def _only_destination(rule: Rule) -> int | None:
    option = rule.shape.core_option("-d")
    if option is None or option.negated:
        return None
    try:
        value, mask = network_bits(rule.values[option.slots[0]])
    except ValueError:
        return None
    return value if mask in _WHOLE_ADDRESS else None


def _behind(places: Sequence[int], start: int) -> Iterator[int]:
    for number in range(bisect_left(places, start), len(places)):
        yield places[number]
