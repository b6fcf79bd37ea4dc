"""No option of any rule goes unsaid: checked on every rule that iptables itself saved, and on every option it knows."""

from __future__ import annotations

import re

import pytest

from ipt_explain.errors import DumpSyntaxError
from ipt_explain.model import Rule
from ipt_explain.render.english.matches.catalogue import COMPOSERS
from ipt_explain.render.english.matches.plain import BARE, PREDICATES
from ipt_explain.render.english.targets.catalogue import ACTIONS
from tests.render.english_rules import everything_said, match_rule, parsed, target_rule
from tests.syntax_corpus import KnownOption, known_options, saved_rules

# Said in other words, which the tests of the single matches check.
_REWORDED = {
    ("icmp", "--icmp-type"),  # "icmp type 3 code 4 (fragmentation needed)", however it is written
    ("icmp6", "--icmpv6-type"),
    ("policy", "--dir"),  # "arrived", "will leave"
    ("policy", "--pol"),
    ("statistic", "--probability"),  # in percent
    ("statistic", "--mode"),  # "at random"
}
_FULL_MASKS = re.compile(r"/(?:32|128|255\.255\.255\.255)$")


def _values(rule: Rule) -> list[str]:
    """Every value that a sentence must have, in the parts that may be said apart."""
    shape = rule.shape
    modules = [("", option) for option in shape.core]
    modules += [(match.module, option) for match in shape.matches for option in match.options]
    modules += [("", option) for option in (shape.target.options if shape.target is not None else ())]
    values = [
        value
        for module, option in modules
        if (module, option.name) not in _REWORDED
        for value in rule.arguments(option)
    ]
    return [part for value in values for part in re.split("[,/]", _FULL_MASKS.sub("", value)) if part]


def test_every_value_of_every_saved_rule_is_in_its_sentence() -> None:
    unsaid, unread = [], []
    for saved in saved_rules():
        for text in {saved.saved, saved.given or saved.saved}:
            try:
                rules = parsed(text)
            except DumpSyntaxError:
                unread.append(text)
                continue
            for rule in rules:
                said = everything_said(rule).lower()
                unsaid += [(value, said) for value in _values(rule) if value.lower() not in said]
    assert unsaid == []
    assert len(unread) < 100  # texts that iptables itself could not print or read unambiguously


def _label(option: KnownOption) -> str:
    return f"{option.kind}-{option.module}{option.name}"


MATCH_OPTIONS = [option for option in known_options() if option.kind == "match" and option.module != "comment"]
TARGET_OPTIONS = [option for option in known_options() if option.kind == "target" and option.module != "standard"]


def _arguments(option: KnownOption) -> tuple[str, ...]:
    return tuple(("71", "72")[: int(option.arity[-1])])


@pytest.mark.parametrize("option", [option for option in MATCH_OPTIONS if option.name != "-"], ids=_label)
def test_every_option_of_every_match_is_worded_with_its_arguments_and_negation(option: KnownOption) -> None:
    said = everything_said(match_rule(option.module, option.name, _arguments(option)))
    assert all(argument in said for argument in _arguments(option)) or (option.module, option.name) in _REWORDED
    if option.negatable:
        assert everything_said(match_rule(option.module, option.name, _arguments(option), negated=True)) != said


@pytest.mark.parametrize("option", [option for option in TARGET_OPTIONS if option.name != "-"], ids=_label)
def test_every_option_of_every_target_is_worded_with_its_arguments(option: KnownOption) -> None:
    said = everything_said(target_rule(option.module, option.name, _arguments(option)))
    assert all(argument in said for argument in _arguments(option))


def test_every_module_has_its_own_words() -> None:
    matches = {option.module for option in MATCH_OPTIONS}
    assert matches - set(COMPOSERS) - set(PREDICATES) - set(BARE) == set()
    assert {option.module for option in TARGET_OPTIONS} - set(ACTIONS) == set()


@pytest.mark.parametrize("option", MATCH_OPTIONS, ids=_label)
def test_no_known_option_gets_the_generic_phrase(option: KnownOption) -> None:
    if option.name in PREDICATES.get(option.module, {}):
        assert "passes match" not in everything_said(match_rule(option.module, option.name, _arguments(option)))
