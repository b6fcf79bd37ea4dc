"""A chain's rules while commands edit them (`-I`, `-R`, `-D`), as iptables-restore does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ipt_explain.model import Rule

_PIECE = 512


class EditedRules:
    """Rules in pieces, so that no edit of a long chain costs more than one piece. Indexes begin at 0."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self._pieces = [_Piece([])]
        for rule in rules:
            self.append(rule)

    def __iter__(self) -> Iterator[Rule]:
        return (rule for piece in self._pieces for rule in piece.rules)

    def append(self, rule: Rule) -> None:
        """`-A`."""
        if len(self._pieces[-1].rules) >= _PIECE:
            self._pieces.append(_Piece([]))
        piece = self._pieces[-1]
        piece.insert(len(piece.rules), rule)

    def insert(self, index: int, rule: Rule) -> None:
        """`-I`; after the last rule if there are fewer."""
        number, index = self._find(index)
        piece = self._pieces[number]
        piece.insert(index, rule)
        if len(piece.rules) > 2 * _PIECE:
            self._pieces[number : number + 1] = [_Piece(piece.rules[:_PIECE]), _Piece(piece.rules[_PIECE:])]

    def delete(self, index: int) -> None:
        """`-D` with a number; nothing if there is no such rule."""
        number, index = self._find(index)
        piece = self._pieces[number]
        if index < len(piece.rules):
            piece.delete(index)
            self._drop_if_empty(number)

    def replace(self, index: int, rule: Rule) -> None:
        """`-R`; after the last rule if there is no such rule."""
        number, at = self._find(index)
        if at < len(self._pieces[number].rules):
            self._pieces[number].delete(at)
        self._pieces[number].insert(at, rule)

    def delete_like(self, rule: Rule) -> None:
        """`-D` with a rule: delete the first rule with the same text, if there is one."""
        said = _said(rule)
        for number, piece in enumerate(self._pieces):
            if piece.times[said]:
                piece.delete(piece.texts.index(said))
                self._drop_if_empty(number)
                return

    def _find(self, index: int) -> tuple[int, int]:
        """The piece of the rule with an index, and its place in it; the end of the last piece for a larger index."""
        index = max(index, 0)
        last = len(self._pieces) - 1
        for number, piece in enumerate(self._pieces):
            if index < len(piece.rules):
                return number, index
            if number < last:
                index -= len(piece.rules)
        return last, min(index, len(self._pieces[last].rules))

    def _drop_if_empty(self, number: int) -> None:
        if not self._pieces[number].rules and len(self._pieces) > 1:
            del self._pieces[number]


class _Piece:
    """Some rules, their texts, and how often each text occurs among them."""

    __slots__ = ("rules", "texts", "times")

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules
        self.texts = list(map(_said, rules))
        self.times = Counter(self.texts)

    def insert(self, index: int, rule: Rule) -> None:
        text = _said(rule)
        self.rules.insert(index, rule)
        self.texts.insert(index, text)
        self.times[text] += 1

    def delete(self, index: int) -> None:
        del self.rules[index]
        self.times[self.texts.pop(index)] -= 1


def _said(rule: Rule) -> str:
    """A rule's text without its command, chain and number."""
    said = rule.text[len(f"-A {rule.chain} ") :]
    return said if rule.shape.rulenum_slot is None else said.partition(" ")[2]
