"""Rules that nearly matched a packet, and the condition that failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ipt_explain.model import Rule
from ipt_explain.netfilter.packet import Bound, PacketState
from ipt_explain.netfilter.reasons import failing, matching_count
from ipt_explain.records import Record


class NearMiss(Record):
    """A rule with one failed condition, and that condition as written."""

    rule: Rule
    condition: str


def near_misses(rules: Iterable[Rule], state: PacketState, bound: Bound, most: int) -> tuple[list[NearMiss], int]:
    """The rules that failed by one condition, and their total number.

    At most `most` are returned, in order, preferring rules for the packet's destination, then those with the most
    conditions met.
    """
    found = list(_one_off(rules, state, bound))
    best = sorted(found, key=lambda pair: (pair[1].condition.startswith("-d "), -pair[0]))[:most]
    kept = [miss for _, miss in best]
    return sorted(kept, key=lambda miss: miss.rule.line), len(found)


def _one_off(rules: Iterable[Rule], state: PacketState, bound: Bound) -> Iterator[tuple[int, NearMiss]]:
    for rule in rules:
        failures = failing(rule, state, bound, at_most=2)
        if len(failures) == 1:
            yield matching_count(rule), NearMiss(rule, failures[0])
