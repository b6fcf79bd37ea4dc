"""What is measured, and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SIZES = (100, 1_000, 10_000)
"""Services of the generated dumps, of ten endpoints each: 3,223, 32,023 and 320,023 rules."""


@dataclass(frozen=True)
class Goal:
    """The most that a command may cost on one dump: CPU time in times of `iptables-legacy-restore --test`, peak memory in
    times of the file. None where nothing is promised."""

    restore: float | None = None
    memory: float | None = None


GOALS: Mapping[str, Mapping[int, Goal]] = {
    "read": {10_000: Goal(0.12, 3.2)},
    "explain -o json": {1_000: Goal(1.5), 10_000: Goal(0.5, 6)},
    "explain --service NAME": {10_000: Goal(0.2)},
    "audit -o json": {1_000: Goal(2.5), 10_000: Goal(0.7, 8)},
    "trace": {10_000: Goal(0.2)},
    "compare A A": {10_000: Goal(0.2)},
    "compare A B": {10_000: Goal(1.0)},
}

GROWTH = 1.2
"""The most that the cost of a rule may grow by from 1,000 services to 10,000."""

START: Mapping[str, float] = {"explain": 1.6, "audit": 2.5, "rules": 2.0}
"""A pasted fragment of a dozen rules: the most, in times of `import click, rich`."""

WORST: Mapping[tuple[str, str], float] = {
    ("20,000 rules of different form", "explain"): 4.0,
    ("100,000 rules in one chain", "show"): 1.5,
    ("5,000 rules appended and deleted", "explain"): 1.0,
    ("a table repeated 100,000 times", "explain"): 3.0,
}
"""CPU seconds, by case and command."""
