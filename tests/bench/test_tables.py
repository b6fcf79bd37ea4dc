"""Tables as a terminal and as the README show them."""

from __future__ import annotations

from tests.bench.tables import Table, beside_goal

TABLE = Table("A dump", ("command", "CPU"), [("explain", "0.50 s"), ("audit -o json", "12.00 s")])


def test_a_terminal_gets_aligned_columns() -> None:
    assert list(TABLE.text()) == ["\nA dump", "command            CPU", "explain         0.50 s", "audit -o json  12.00 s"]


def test_the_readme_gets_markdown() -> None:
    assert list(TABLE.markdown()) == [
        "| command | CPU |", "| --- | ---: |", "| explain | 0.50 s |", "| audit -o json | 12.00 s |",
    ]  # fmt: skip


def test_a_missed_goal_is_marked() -> None:
    assert [beside_goal(0.4, None), beside_goal(0.4, 0.5), beside_goal(0.6, 0.5)] == ["0.40", "0.40 (0.5)", "0.60 (0.5, missed)"]
