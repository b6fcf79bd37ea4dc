"""Rules for tests of their English: parsed from text, or built from one option."""

from __future__ import annotations

from ipt_explain.model import Command, Match, Option, Rule, Shape, Target, TargetKind
from ipt_explain.parsing import read_dump
from ipt_explain.render.english.glossary import Glossary
from ipt_explain.render.english.rule import rule_words

GLOSSARY = Glossary({0x4000: "the masquerade mark", 0x8000: "the drop mark"})


def parsed(text: str) -> list[Rule]:
    """The rules of a fragment, in order of chain."""
    return [
        rule
        for ruleset in read_dump(text + "\n").rulesets
        for table in ruleset.tables.values()
        for chain in table.chains.values()
        for rule in chain.rules
    ]


def sentence(text: str) -> str:
    """The sentence of one rule, given without `-A CHAIN`."""
    (rule,) = parsed(f"-A INPUT {text}")
    return rule_words(rule, GLOSSARY).sentence


def everything_said(rule: Rule) -> str:
    """The sentence and the comments."""
    words = rule_words(rule, GLOSSARY)
    return " ".join([words.sentence, *words.comments])


def match_rule(module: str, option: str, arguments: tuple[str, ...], negated: bool = False) -> Rule:
    """`-m MODULE [!] OPTION ARGUMENTS -j ACCEPT`, built without the grammar, which would require other options, too."""
    slots = tuple(range(1, len(arguments) + 1))
    match = Match(module, (Option(option, negated, slots),))
    target = Target(TargetKind.JUMP, "ACCEPT", None, ())
    return Rule(Shape(Command.APPEND, None, (), (match,), target, ("", ""), (0,)), ("INPUT", *arguments), 1)


def target_rule(name: str, option: str, arguments: tuple[str, ...]) -> Rule:
    """`-j NAME OPTION ARGUMENTS`, built without the grammar."""
    slots = tuple(range(1, len(arguments) + 1))
    target = Target(TargetKind.JUMP, name, None, (Option(option, False, slots),))
    return Rule(Shape(Command.APPEND, None, (), (), target, ("", ""), (0,)), ("INPUT", *arguments), 1)
