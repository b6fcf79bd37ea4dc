"""Rules that count packets (`-m statistic --mode nth`): which of them share packets with other counting rules."""

from __future__ import annotations

from collections.abc import Iterable


def counted_together(counted: Iterable[tuple[int, ...]]) -> frozenset[int]:
    """The rules that count packets which others have taken by counting, and packets which they have not: how their
    counters stand to each other, no dump tells."""
    ahead: dict[int, set[tuple[int, ...]]] = {}
    for lines in set(counted):
        for place, line in enumerate(lines):
            ahead.setdefault(line, set()).add(lines[:place])
    return frozenset(line for line, different in ahead.items() if len(different) > 1)
