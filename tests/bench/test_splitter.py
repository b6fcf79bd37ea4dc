"""The linear yardstick does read a dump, so that its cost means something."""

from __future__ import annotations

from tests.bench.generator import dump
from tests.bench.kube_proxy import RULES_PER_DUMP
from tests.bench.splitter import split


def test_every_rule_is_split_into_its_options() -> None:
    tables = split(dump(3, 2))
    assert sum(len(rules) for chains in tables.values() for rules in chains.values()) == RULES_PER_DUMP + 3 * 8
    first = next(rules[0] for name, rules in tables["nat"].items() if name.startswith("KUBE-SEP-"))
    assert first["-j"] == "KUBE-MARK-MASQ" and first["--comment"]
