"""Sizes of the benchmarks, and goals for their cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SIZES = (100, 1_000, 10_000)
"""Services in the generated dumps, with ten endpoints each: 3,223, 32,023 and 320,023 rules."""

MIXED = 32_000
"""From this many rules on, a dump of Services of all sizes is measured, too, with the same goals."""


@dataclass(frozen=True)
class Goal:
    """The most that a command may cost on one dump: CPU time as a multiple of `iptables-legacy-restore --test`, peak memory
    as a multiple of the file's size. None for no goal."""

    restore: float | None = None
    memory: float | None = None


GOALS: Mapping[str, Mapping[int, Goal]] = {
    "read": {320_000: Goal(0.12, 3.2)},
    "explain -o json": {32_000: Goal(1.5), 320_000: Goal(0.5, 6)},
    "explain --service NAME": {320_000: Goal(0.2)},
    "audit -o json": {32_000: Goal(2.5), 320_000: Goal(0.7, 8)},
    "trace": {320_000: Goal(0.2)},
    "compare A A": {320_000: Goal(0.2)},
    "compare A B": {320_000: Goal(1.0)},
}

GROWTH = 1.2
"""The largest factor by which the cost per rule may grow from 1,000 services to 10,000."""

START: Mapping[str, float] = {"explain": 1.6, "audit": 2.5, "rules": 2.0}
"""Goals for a pasted fragment of a dozen rules, as multiples of `import click, rich`."""

WORST: Mapping[tuple[str, str], float] = {
    ("20,000 rules of different form", "explain"): 4.0,
    ("20,000 rules of different form", "trace"): 6.0,
    ("100,000 rules in one chain", "show"): 1.5,
    ("5,000 rules appended and deleted", "explain"): 1.0,
    ("a table repeated 100,000 times", "explain"): 3.0,
    ("10,000 virtual servers of IPVS", "explain"): 5.0,
    ("10,000 virtual servers of IPVS, most sets missing", "explain"): 10.0,
}
"""CPU seconds, by case and command."""
