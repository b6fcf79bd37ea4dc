"""The grammar against iptables itself: every rule that it saved is read, and printed again byte for byte."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

from ipt_explain.model import Rule
from ipt_explain.parsing.iptables.rules.rule_parser import ParsedRule, RuleSyntaxError, parse_rule
from ipt_explain.parsing.iptables.rules.vocabulary import vocabulary
from tests.corpora import RestoreInput, restore_inputs
from tests.syntax_corpus import KnownOption, known_options, saved_rules

_STANDARD_TARGETS = {"ACCEPT", "DROP", "QUEUE", "RETURN"}


def _text(parsed: ParsedRule) -> str:
    return Rule(parsed.shape, parsed.values, line=1).text


def _compiled(parsed: ParsedRule, line: str) -> re.Pattern[str]:
    parts, position = [], 0
    for token in parsed.tokens:
        parts.append(re.escape(line[position : token.start]))
        parts.append(f"({token.pattern})")
        position = token.end
    return re.compile("".join([*parts, re.escape(line[position:])]))


def test_every_rule_that_reloads_is_printed_again_byte_for_byte() -> None:
    lines = [rule.saved for rule in saved_rules() if rule.reloads]
    assert len(set(lines)) > 900
    assert [line for line in lines if _text(parse_rule(line)) != line] == []


def test_a_rule_that_cannot_be_loaded_again_is_read_as_written_or_refused() -> None:
    """iptables-save prints names raw: `-i a b`. What is read is the text as it stands, never something else."""
    refused = 0
    for line in {rule.saved for rule in saved_rules() if not rule.reloads}:
        try:
            parsed = parse_rule(line)
        except RuleSyntaxError:
            refused += 1
        else:
            assert _text(parsed) == line
    assert refused > 10


def test_every_rule_that_iptables_took_is_read() -> None:
    """Its input: other orders, long options, old spellings. One printed rule may come of many inputs."""
    given = {rule.given for rule in saved_rules() if rule.given is not None}
    rules = sorted(line for line in given if line.startswith("-A ") and "\n" not in line)
    assert len(rules) > 1000
    for line in rules:
        parsed = parse_rule(line)
        assert parsed.values == tuple(line[token.start : token.end] for token in parsed.tokens)


def test_a_printed_rule_prints_the_same_again() -> None:
    for rule in saved_rules():
        if rule.given is not None and rule.given.startswith("-A ") and "\n" not in rule.given:
            printed = _text(parse_rule(rule.given))
            assert _text(parse_rule(printed)) == printed


def test_the_pattern_of_each_line_reads_the_others_as_lark_does() -> None:
    parsed = {rule.saved: parse_rule(rule.saved) for rule in saved_rules() if rule.reloads}
    alike = defaultdict(list)
    for line in parsed:
        alike[tuple(re.findall(r"(?:^| )-\S+", line))].append(line)
    read = 0
    for lines in alike.values():
        for first in lines:
            pattern = _compiled(parsed[first], first)
            for second in lines:
                match = pattern.fullmatch(second)
                if match is not None:
                    read += 1
                    assert parsed[second].shape is parsed[first].shape
                    assert match.groups() == parsed[second].values
    assert read > len(parsed)


@pytest.mark.parametrize("source", restore_inputs(), ids=lambda source: source.id)
def test_input_for_restore_is_read(source: RestoreInput) -> None:
    for line in source.text.splitlines():
        if line.startswith("-A "):
            parsed = parse_rule(line)
            assert sorted(_text(parsed).split()) == sorted(line.split())


def _modules(kind: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for option in known_options():
        if option.kind == kind:
            found[option.module].update({option.name} - {"-"})
    return dict(found)


def test_the_grammar_knows_the_options_of_every_match() -> None:
    assert {name: set(module.options) for name, module in vocabulary().matches.items()} == _modules("match")


def test_the_grammar_knows_the_options_of_every_target() -> None:
    wanted = {name: options for name, options in _modules("target").items() if name != "standard"}
    wanted |= {name: set() for name in _STANDARD_TARGETS}
    assert {name: set(module.options) for name, module in vocabulary().targets.items()} == wanted


def _line(option: KnownOption, arguments: int, negated: bool) -> str:
    opening = "-m" if option.kind == "match" else "-j"
    words = ["-A X", opening, option.module, "!" if negated else "", option.name, *["-value"] * arguments]
    return " ".join(word for word in words if word)


def _is_read(option: KnownOption, arguments: int, negated: bool = False) -> bool:
    """Whether the option is read with so many arguments; each looks like an option, as any argument may."""
    try:
        parsed = parse_rule(_line(option, arguments, negated))
    except RuleSyntaxError:
        return False
    holder = parsed.shape.matches[0] if option.kind == "match" else parsed.shape.target
    assert holder is not None
    return [(each.name, each.negated, len(each.slots)) for each in holder.options] == [
        (option.name, negated, arguments)
    ]


@pytest.mark.parametrize(
    "option",
    [option for option in known_options() if option.name != "-"],
    ids=lambda option: f"{option.module} {option.name}",
)
def test_each_option_takes_as_many_arguments_as_in_iptables(option: KnownOption) -> None:
    taken = {"0": {0}, "1": {1}, "2": {2}, "0|1": {0, 1}}[option.arity]
    assert {count for count in range(4) if _is_read(option, count)} == taken
    assert _is_read(option, max(taken), negated=True) == option.negatable
