"""What the README says of a run: a paragraph and a table."""

from __future__ import annotations

import datetime
import os
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from tests.bench.dumps import RESTORE, SPLITTER, Dump
from tests.bench.measure import Cost
from tests.bench.tables import Table

Measured = tuple[Dump, Mapping[str, Cost]]

_WIDTH = 132
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ROWS: Mapping[str, str] = {
    RESTORE: f"`{RESTORE}`",
    SPLITTER: "splitting the lines into words",
    "explain": "`explain`",
    "explain -o json": "`explain -o json`",
    "explain --service NAME": "`explain --service NAME`",
    "audit": "`audit`",
    "audit -o json": "`audit -o json`",
    "trace": "`trace`",
    "show CHAIN": "`show CHAIN`",
    "compare A A": "`compare` with itself",
    "compare A B": "`compare` with another",
    "graph": "`graph`",
}


def paragraph(runs: int, start: Mapping[str, Cost], reference: str) -> str:
    """When, where and how it was measured, and the cost of a fragment."""
    words = (
        f"Measured on {datetime.date.today():%-d %B %Y}, with ten endpoints per Service, on {_number(os.cpu_count() or 1, 'core')}"
        f" with Python {'.'.join(map(str, sys.version_info[:2]))}: medians of {_number(runs, 'run')}."
        " The mixed dumps have Services of 0 to 100 endpoints, a tenth of them with node ports or load balancers."
    )
    if start:
        words += (
            f" On a fragment of a dozen rules, `explain` takes {start['explain'].cpu:.2f} s and `audit` {start['audit'].cpu:.2f} s;"
            f" importing click and rich alone takes {start[reference].cpu:.2f} s."
        )
    return textwrap.fill(words, _WIDTH, break_on_hyphens=False)


def table(even: Sequence[Measured], mixed: Sequence[Measured]) -> Iterator[str]:
    """CPU time and memory of each command, one column per size."""
    heads = (f"{dump.rules:,} rules, {dump.size / 1e6:.1f} MB" for dump, _ in even)
    found = Table("", ("CPU seconds, memory in MB", *heads))
    for suffix, measured in (("", even), (", mixed", mixed)):
        by_scale = {dump.scale: costs for dump, costs in measured}
        for name, row in _ROWS.items():
            if any(name in costs for costs in by_scale.values()):
                costs = (by_scale.get(dump.scale, {}).get(name) for dump, _ in even)
                found.rows.append((row + suffix, *map(_cell, costs)))
    return found.markdown()


def _cell(cost: Cost | None) -> str:
    return "–" if cost is None else f"{cost.cpu:.2f} · {cost.memory / 1e6:.0f}"


def _number(count: int, noun: str) -> str:
    number = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    return f"{number} {noun}" + ("" if count == 1 else "s")
