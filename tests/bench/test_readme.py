"""The README's table of figures is what a run prints."""

from __future__ import annotations

from tests.bench import readme
from tests.bench.dumps import RESTORE, Dump
from tests.bench.measure import Cost

COST = Cost(1.234, 56_700_000, 0, "")


def test_a_column_is_a_size_and_a_row_a_command() -> None:
    dump = Dump("any", 32_000, 32_023, 3_300_000, {})
    even = [(Dump("any", 3_200, 3_223, 500_000, {}), {RESTORE: COST, "read": COST}), (dump, {RESTORE: COST, "compare A A": COST})]
    assert list(readme.table(even, [(dump, {"audit -o json": COST})])) == [
        "| CPU seconds, memory in MB | 3,223 rules, 0.5 MB | 32,023 rules, 3.3 MB |",
        "| --- | ---: | ---: |",
        "| `iptables-legacy-restore --test` | 1.23 · 57 | 1.23 · 57 |",
        "| `compare` with itself | – | 1.23 · 57 |",
        "| `audit -o json`, mixed | – | 1.23 · 57 |",
    ]
