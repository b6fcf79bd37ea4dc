"""Shapes that ship with the package: those of the rules that kube-proxy and kubelet write.

Lark parsed `common_rules.txt` once; `common_shapes.json` holds what came of it. A dump of such rules is read without
loading Lark, which would take longer than all the rest of explaining a small one. A test compares the file with the
grammar; to write it anew:

    python -c "from ipt_explain.parsing.iptables.shapes import precompiled; precompiled.write_common_shapes()"
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache
from typing import Any

from ipt_explain.model import Command, Match, Option, Shape, Target, TargetKind
from ipt_explain.parsing.iptables.rules.interning import intern_shape
from ipt_explain.parsing.iptables.shapes.patterns import LinePattern, pattern_of, skeleton

_FOLDER = os.path.dirname(os.path.abspath(__file__))
RULES_FILE = os.path.join(_FOLDER, "common_rules.txt")
SHAPES_FILE = os.path.join(_FOLDER, "common_shapes.json")


@dataclass(frozen=True, slots=True)
class KnownForm:
    """A shape and the pattern of the rule texts that have it, as `pattern_of` made it."""

    shape: Shape
    pattern: LinePattern


def known_forms(skeleton: str) -> list[KnownForm]:
    """The shipped forms of rules with this skeleton."""
    return [
        KnownForm(_shape(entry["shape"]), LinePattern(*map(tuple, entry["pattern"])))
        for entry in _shipped().get(skeleton, ())
    ]


@cache
def _shipped() -> dict[str, list[dict[str, Any]]]:
    with open(SHAPES_FILE, encoding="utf-8") as file:
        shipped: dict[str, list[dict[str, Any]]] = json.load(file)
    return shipped


def _shape(entry: dict[str, Any]) -> Shape:
    matches = tuple(Match(module, _options(options)) for module, options in entry["matches"])
    target = None
    if entry["target"] is not None:
        kind, name, slot, options = entry["target"]
        target = Target(TargetKind(kind), name, slot, _options(options))
    printing = (tuple(entry["literals"]), tuple(entry["printed"]))
    return intern_shape(
        Command(entry["command"]), entry["rulenum"], _options(entry["core"]), matches, target, lambda: printing
    )


def _options(entries: list[Any]) -> tuple[Option, ...]:
    return tuple(Option(name, negated, tuple(slots)) for name, negated, slots in entries)


def compile_common_rules() -> str:
    """The text of `common_shapes.json`, from the grammar."""
    from ipt_explain.parsing.iptables.rules.rule_parser import parse_rule

    forms: dict[str, list[dict[str, Any]]] = {}
    with open(RULES_FILE, encoding="utf-8") as file:
        rules = file.read().splitlines()
    for rule in rules:
        parsed = parse_rule(rule)
        pattern = pattern_of(parsed, rule)
        entry = {"pattern": [list(pattern.literals), list(pattern.words)], "shape": _entry(parsed.shape)}
        known = forms.setdefault(skeleton(rule), [])
        if entry not in known:
            known.append(entry)
    return json.dumps(forms, indent=0, sort_keys=True) + "\n"


def _entry(shape: Shape) -> dict[str, Any]:
    target = shape.target
    return {
        "command": shape.command.value,
        "rulenum": shape.rulenum_slot,
        "core": _entries(shape.core),
        "matches": [[match.module, _entries(match.options)] for match in shape.matches],
        "target": None if target is None else [target.kind.value, target.name, target.slot, _entries(target.options)],
        "literals": list(shape.literals),
        "printed": list(shape.printed),
    }


def _entries(options: tuple[Option, ...]) -> list[Any]:
    return [[option.name, option.negated, list(option.slots)] for option in options]


def write_common_shapes() -> None:
    """Writes `common_shapes.json` anew."""
    with open(SHAPES_FILE, "w", encoding="utf-8") as file:
        file.write(compile_common_rules())
