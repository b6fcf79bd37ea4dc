"""Restore input edits chains: what is left is what iptables-restore would leave, at a cost that grows with the lines."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_explain.parsing import read_dump
from ipt_explain.parsing.iptables import editing

_rules = st.sampled_from([f"-s 10.0.0.{number}/32 -j ACCEPT" for number in range(5)])
_numbers = st.integers(1, 12)
_commands = st.one_of(
    st.tuples(st.just("-A"), st.none(), _rules),
    st.tuples(st.just("-A"), st.none(), _rules),
    st.tuples(st.just("-I"), st.one_of(st.none(), _numbers), _rules),
    st.tuples(st.just("-R"), _numbers, _rules),
    st.tuples(st.just("-D"), st.none(), _rules),
    st.tuples(st.just("-D"), _numbers, st.none()),
)
_Command = tuple[str, int | None, str | None]


def _line(command: _Command) -> str:
    name, number, rule = command
    return " ".join([name, "INPUT", *([] if number is None else [str(number)]), *([] if rule is None else [rule])])


def _edited(commands: list[_Command]) -> list[str]:
    """The same on a plain list."""
    rules: list[str] = []
    for name, number, rule in commands:
        index = (number or 1) - 1
        if rule is None:
            del rules[index : index + 1]
        elif name == "-A":
            rules.append(rule)
        elif name == "-I":
            rules.insert(index, rule)
        elif name == "-R":
            rules[index : index + 1] = [rule]
        elif rule in rules:
            rules.remove(rule)
    return rules


@settings(max_examples=300)
@given(st.lists(_commands, max_size=40), st.integers(1, 5))
def test_edits_have_the_effect_of_list_operations(commands: list[_Command], piece: int) -> None:
    text = "*filter\n" + "".join(_line(command) + "\n" for command in commands) + "COMMIT\n"
    with patch.object(editing, "_PIECE", piece):
        chain = read_dump(text).rulesets[0].chain("filter", "INPUT")
    left = [] if chain is None else [rule.text[rule.text.index("-s") :] for rule in chain.rules]
    assert left == _edited(commands)


def test_rules_that_are_all_deleted_again_leave_none() -> None:
    rules = [f"INPUT -s 10.{number >> 8}.{number & 255}.1/32 -j DROP" for number in range(3_000)]
    lines = [f"-A {rule}" for rule in rules] + [f"-D {rule}" for rule in reversed(rules)]
    chain = read_dump("*filter\n" + "\n".join(lines) + "\nCOMMIT\n").rulesets[0].chain("filter", "INPUT")
    assert chain is not None and chain.rules == ()
