"""The pieces that ship with the package are the grammar's own."""

from __future__ import annotations

import subprocess
import sys

from ipt_explain.parsing import read_dump
from ipt_explain.parsing.iptables.shapes.common_pieces import TABLE_FILE, compile_common_rules
from tests.kube_corpus import scenarios


def test_the_shipped_pieces_are_what_the_grammar_makes_of_the_common_rules() -> None:
    with open(TABLE_FILE, encoding="utf-8") as file:
        assert file.read() == compile_common_rules()


def test_a_node_of_any_release_is_read_without_loading_lark() -> None:
    program = "import sys\nfrom ipt_explain.parsing import read_dump\nread_dump(sys.stdin.read())\nprint('lark' in sys.modules)"
    newest = {scenario.version: scenario for scenario in scenarios() if scenario.name == "basic"}
    for scenario in newest.values():
        run = subprocess.run(
            [sys.executable, "-c", program], input=scenario.ipv4, capture_output=True, text=True, check=True
        )
        assert run.stdout.strip() == "False", scenario.id


def test_a_shape_that_ships_and_one_that_lark_reads_are_one_object() -> None:
    from ipt_explain.parsing.iptables.rules.rule_parser import parse_rule

    rule = read_dump("*nat\n-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000\nCOMMIT\n").rulesets[0].tables["nat"]
    shipped = rule.chains["KUBE-MARK-MASQ"].rules[0].shape
    assert parse_rule("-A OTHER -j MARK --set-xmark 0x1/0x1").shape is shipped
