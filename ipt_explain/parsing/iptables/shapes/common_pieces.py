"""Pieces that ship with the package: those of the rules that kube-proxy and kubelet write.

Lark parsed `common_rules.txt` once; `common_pieces.json` holds what came of it. A dump of such rules is read without
loading Lark, which would take longer than all the rest of explaining a small one. A test compares the file with the
grammar; to rewrite it:

    python -c "from ipt_explain.parsing.iptables.shapes import common_pieces; common_pieces.write()"
"""

from __future__ import annotations

import json
import os
from pkgutil import get_data
from typing import Any

from ipt_explain.model import Command, Match, Option, Target, TargetKind
from ipt_explain.parsing.iptables.rules.parts import Opening, Part
from ipt_explain.parsing.iptables.shapes.patterns import LinePattern
from ipt_explain.parsing.iptables.shapes.pieces import Piece, Pieces, pieces_of

_FOLDER = os.path.dirname(os.path.abspath(__file__))
RULES_FILE = os.path.join(_FOLDER, "common_rules.txt")
PIECES_FILE = os.path.join(_FOLDER, "common_pieces.json")


def common_pieces() -> Pieces:
    """The shipped pieces; also where the package is in a zip file."""
    entries = json.loads(get_data(__package__, "common_pieces.json") or b"[]")
    pieces = Pieces()
    for entry in entries:
        pattern = LinePattern(tuple(entry["literals"]), tuple(entry["words"]))
        piece = Piece(pattern, _part(entry["part"]))
        piece.followers.update(entry["followers"])
        pieces.add(piece)
    return pieces


def compile_common_rules() -> str:
    """The text of `common_pieces.json`, from the grammar."""
    from ipt_explain.parsing.iptables.rules.rule_parser import parse_rule

    pieces = Pieces()
    with open(RULES_FILE, encoding="utf-8") as file:
        for rule in file.read().splitlines():
            for piece in pieces_of(parse_rule(rule), rule):
                pieces.add(piece)
    return "[\n" + ",\n".join(sorted(map(_entry, pieces))) + "\n]\n"


def write() -> None:
    """Rewrite `common_pieces.json`."""
    with open(PIECES_FILE, "w", encoding="utf-8") as file:
        file.write(compile_common_rules())


def _entry(piece: Piece) -> str:
    entry = {
        "literals": piece.pattern.literals,
        "words": piece.pattern.words,
        "part": _part_entry(piece.part),
        "followers": sorted(piece.followers, key=lambda word: word or ""),
    }
    return json.dumps(entry)


def _part_entry(part: Part) -> list[Any]:
    if isinstance(part, Opening):
        return ["opening", part.command.value, part.rulenum_slot]
    if isinstance(part, Match):
        return ["match", part.module, list(map(_option_entry, part.options))]
    if isinstance(part, Target):
        return ["target", part.kind.value, part.name, part.slot, list(map(_option_entry, part.options))]
    return ["own", _option_entry(part)]


def _option_entry(option: Option) -> list[Any]:
    return [option.name, option.negated, list(option.slots)]


def _part(entry: list[Any]) -> Part:
    kind, *rest = entry
    if kind == "opening":
        return Opening(Command(rest[0]), rest[1])
    if kind == "match":
        return Match(rest[0], tuple(map(_option, rest[1])))
    if kind == "target":
        return Target(TargetKind(rest[0]), rest[1], rest[2], tuple(map(_option, rest[3])))
    return _option(rest[0])


def _option(entry: list[Any]) -> Option:
    name, negated, slots = entry
    return Option(name, negated, tuple(slots))
