"""Pieces that ship with the package: those of the rules that kube-proxy and kubelet write.

Lark parsed `common_rules.txt` once; `common_pieces_table.py` holds what came of it. A dump of such rules is read
without loading Lark, which would take longer than all the rest of explaining a small one. A test compares the table
with the grammar; to rewrite it:

    python -c "from ipt_explain.parsing.iptables.shapes import common_pieces; common_pieces.write()"
"""

from __future__ import annotations

import os
from functools import partial
from itertools import chain
from typing import Any

from ipt_explain.model import Command, Match, Option, Target, TargetKind
from ipt_explain.parsing.iptables.parts import Part, RuleOpening
from ipt_explain.parsing.iptables.shapes.common_pieces_table import PIECES
from ipt_explain.parsing.iptables.shapes.patterns import LinePattern
from ipt_explain.parsing.iptables.shapes.pieces import Piece, Pieces, first_words, pieces_of

Entry = tuple[tuple[str, ...], tuple[str, ...], tuple[Any, ...], tuple["str | None", ...]]

_FOLDER = os.path.dirname(os.path.abspath(__file__))
RULES_FILE = os.path.join(_FOLDER, "common_rules.txt")
TABLE_FILE = os.path.join(_FOLDER, "common_pieces_table.py")
_TABLE_HEAD = '''\
"""Made by `common_pieces.write`: pieces by the words that they begin with. Of each: the text around its values, what
each value may be, the part that it is, and the words that may follow."""

# ruff: noqa: E501
from __future__ import annotations

from typing import Any

PIECES: dict[str, list[tuple[tuple[str, ...], tuple[str, ...], tuple[Any, ...], tuple[str | None, ...]]]] = {
'''


def common_pieces() -> Pieces:
    """The shipped pieces."""
    return Pieces({words: partial(map, _piece, entries) for words, entries in PIECES.items()})


def compile_common_rules() -> str:
    """The text of `common_pieces_table.py`, from the grammar."""
    from ipt_explain.parsing.iptables.rules.rule_parser import parse_rule

    pieces = Pieces()
    with open(RULES_FILE, encoding="utf-8") as file:
        for rule in file.read().splitlines():
            for piece in pieces_of(parse_rule(rule), rule):
                pieces.add(piece)
    by_words: dict[str, list[Entry]] = {}
    for piece in pieces:
        by_words.setdefault(first_words(piece.pattern), []).append(_entry(piece))
    lines = (
        [f"    {words!r}: [\n", *sorted(f"        {entry!r},\n" for entry in by_words[words]), "    ],\n"]
        for words in sorted(by_words)
    )
    return "".join([_TABLE_HEAD, *chain.from_iterable(lines), "}\n"])


def write() -> None:
    """Rewrite `common_pieces_table.py`."""
    with open(TABLE_FILE, "w", encoding="utf-8") as file:
        file.write(compile_common_rules())


def _entry(piece: Piece) -> Entry:
    followers = tuple(sorted(piece.followers, key=lambda word: word or ""))
    return piece.pattern.literals, piece.pattern.words, _part_entry(piece.part), followers


def _part_entry(part: Part) -> tuple[Any, ...]:
    if isinstance(part, RuleOpening):
        return "opening", part.command.value, part.rulenum_slot
    if isinstance(part, Match):
        return "match", part.module, tuple(map(_option_entry, part.options))
    if isinstance(part, Target):
        return "target", part.kind.value, part.name, part.slot, tuple(map(_option_entry, part.options))
    return "own", _option_entry(part)


def _option_entry(option: Option) -> tuple[Any, ...]:
    return option.name, option.negated, option.slots


def _piece(entry: Entry) -> Piece:
    literals, words, part, followers = entry
    piece = Piece(LinePattern(literals, words), _part(part))
    piece.followers.update(followers)
    return piece


def _part(entry: tuple[Any, ...]) -> Part:
    kind, *rest = entry
    if kind == "opening":
        return RuleOpening(Command(rest[0]), rest[1])
    if kind == "match":
        return Match(rest[0], tuple([Option(*option) for option in rest[1]]))
    if kind == "target":
        return Target(TargetKind(rest[0]), rest[1], rest[2], tuple([Option(*option) for option in rest[3]]))
    return Option(*rest[0])
