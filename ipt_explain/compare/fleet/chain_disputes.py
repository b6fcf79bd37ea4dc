"""Differences between nodes in one chain: its policy, its hooks, kube-proxy's rules, other components' rules.

Other components write a node's own addresses and interfaces into their rules. If no text is common to most nodes, such
words are masked and only the rest of the rules is compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ipt_explain.compare.differences import Difference, DifferenceKind
from ipt_explain.compare.fleet.folding import nodes_of
from ipt_explain.compare.fleet.records.chain_records import skeleton_of
from ipt_explain.compare.fleet.records.keys import RecordKey
from ipt_explain.compare.fleet.sides import Side, merged
from ipt_explain.compare.fleet.wording import against, count_of
from ipt_explain.compare.rulesets.differing import skeleton_differences
from ipt_explain.records import replace

_OWN_WORDS = re.compile(
    r"(?<= )(?:\d{1,3}(?:\.\d{1,3}){3}(?:/[\d.]+)?(?::\d+)?"
    r"|\[?[0-9a-fA-F]*:[0-9a-fA-F:]*(?:\.\d+){0,3}\]?(?:/\d+)?)(?=[ \"]|$)"
    r"|(?<= -i )[^ \"]+|(?<= -o )[^ \"]+"
)


def chain_disputes(key: RecordKey, sides: Sequence[Side]) -> Iterator[tuple[Difference, Side, Side]]:
    """The differences between a chain's sides, each with the majority's side and the other."""
    if len(sides) < 2:
        return
    sides, masked = _without_own_words(sides)
    most = sides[0]
    for side in sides[1:]:
        texts = (_masked(most.record), _masked(side.record)) if masked else (most.record, side.record)
        found = skeleton_differences(key.family, skeleton_of(key, texts[0]), skeleton_of(key, texts[1]))
        for difference in found:
            yield replace(difference, message=_sentence(key, difference, most, side)), most, side


def _without_own_words(sides: Sequence[Side]) -> tuple[Sequence[Side], bool]:
    """The sides; if no text is common to most nodes, those that differ only in nodes' own words are merged."""
    total = sum(side.count for side in sides)
    if sides[0].count * 2 > total:
        return sides, False
    alike = merged(sides, lambda side: _masked(side.record))
    if len(alike) == len(sides):
        return sides, False
    return alike, True


def _masked(record: str | None) -> str | None:
    return None if record is None else _OWN_WORDS.sub("OWN", record)


def _sentence(key: RecordKey, difference: Difference, most: Side, side: Side) -> str:
    names, others = nodes_of(side.groups), nodes_of(most.groups)
    if difference.kind is DifferenceKind.CHAIN_POLICY:
        before, after = f"{difference.before} on {count_of(others)}", f"{difference.after} on {count_of(names)}"
        return f"{key.group} {key.name}: policy {before}, {after}"
    return f"{against(others, names)}: {difference.message}"
