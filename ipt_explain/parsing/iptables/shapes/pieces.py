"""Rules of new shapes, put together from parts that the grammar has read in others.

What a part of a rule means (`-d ADDRESS`, `-m tcp --dport PORTS`, `-j NAME`) does not depend on the parts before it, as
long as none has to go back to another: the parser is in the same state wherever a part begins. What follows decides
only whether the part ends there. So a piece is a part's pattern, with the words that are known to begin the next part
after it, and a rule that pieces cover from end to end is read as Lark would read it, in a tenth of the time.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ipt_explain.model import Option, Shape, Target
from ipt_explain.parsing.iptables.parts import Part, RuleOpening, moved, shape_of
from ipt_explain.parsing.iptables.shapes.patterns import LinePattern, freely_begun, pattern_of
from ipt_explain.patterns import lazy_pattern

if TYPE_CHECKING:
    from ipt_explain.parsing.iptables.rules.rule_parser import ParsedRule

_TWO_WORDS = lazy_pattern(r"([^ \t\n]+)(?: [^ \t\n]+)?")
_NEXT_WORD = lazy_pattern(r" ([^ \t\n]+)|\Z")

# Real texts have some dozens of pieces. One with more is made to have them.
_MAX_ALIKE = 24
_MAX_PIECES = 1024
_MAX_BLANKS = 900  # the parser counts words, and refuses a rule of more than 1,000


class Piece:
    """One form of one part. `followers` are the words known to begin what may follow, None for the rule's end."""

    __slots__ = ("_literals", "_moved", "_words", "followers", "part", "pattern")

    def __init__(self, pattern: LinePattern, part: Part) -> None:
        """The slots of `part` are those that it has where its values are a rule's first."""
        self.pattern = pattern
        self.part = part
        self.followers: set[str | None] = set()
        self._literals: Sequence[str] = ()
        self._words: Sequence[Callable[[str, int], re.Match[str] | None]] = ()
        self._moved: dict[int, Part] = {0: part}

    def match(self, text: str, position: int) -> tuple[list[str], re.Match[str]] | None:
        """The values of the part at this position of a rule, if it has this form and ends there, and the next word.

        A word reaches up to a blank, whatever follows. So words are matched one by one: they are few, and compiling one
        takes longer than reading a rule.
        """
        if not self._literals:
            self._literals = [_unescaped(literal) for literal in self.pattern.literals]
            self._words = list(map(_matching, self.pattern.words))
        values = []
        for literal, matching in zip(self._literals, self._words):
            found = matching(text, position + len(literal)) if text.startswith(literal, position) else None
            if found is None:
                return None
            values.append(found[0])
            position = found.end()
        last = self._literals[-1]
        following = _NEXT_WORD.match(text, position + len(last)) if text.startswith(last, position) else None
        return None if following is None or following[1] not in self.followers else (values, following)

    def at(self, slot: int) -> Part:
        """The part where its first value has this slot."""
        part = self._moved.get(slot)
        if part is None:
            part = self._moved[slot] = moved(self.part, slot)
        return part


class ReadPieces:
    """A rule that pieces have read: its values, and its shape and pattern, which are made when asked for."""

    def __init__(self, pieces: Sequence[Piece], values: tuple[str, ...]) -> None:
        self.values = values
        self._pieces = pieces

    def shape(self) -> Shape:
        """The shape, interned."""
        return shape_of(_placed(self._pieces))

    def pattern(self) -> LinePattern:
        """The pattern of all lines of this form."""
        literals: list[str] = [""]
        words: list[str] = []
        for number, piece in enumerate(self._pieces):
            first, *others = piece.pattern.literals
            literals[-1] += r"\ " + first if number else first
            literals += others
            words += piece.pattern.words
        return LinePattern(tuple(literals), tuple(words))


class Pieces:
    """The pieces known so far, by the words that they begin with.

    Those that are `shipped` are made when a rule has a part that begins with their words.
    """

    def __init__(self, shipped: Mapping[str, Callable[[], Iterable[Piece]]] | None = None) -> None:
        self._shipped = dict(shipped or {})
        self._by_words: dict[str, list[Piece]] = {}
        self._known: dict[tuple[LinePattern, Part], Piece] = {}

    def __iter__(self) -> Iterator[Piece]:
        for words in list(self._shipped):
            self._unpack(words)
        return iter(self._known.values())

    def add(self, piece: Piece) -> None:
        """Know a piece, or more words that may follow a known one."""
        words = first_words(piece.pattern)
        if words in self._shipped:
            self._unpack(words)
        key = piece.pattern, piece.part
        known = self._known.get(key)
        if known is not None:
            known.followers |= piece.followers
            return
        alike = self._by_words.setdefault(words, [])
        if len(alike) < _MAX_ALIKE and len(self._known) < _MAX_PIECES:
            self._known[key] = piece
            alike.append(piece)

    def read(self, text: str) -> ReadPieces | None:
        """A rule that known pieces cover; None for any other."""
        if text.count(" ") > _MAX_BLANKS:
            return None
        pieces: list[Piece] = []
        values: list[str] = []
        position = 0
        while True:
            found = self._find(text, position)
            if found is None:
                return None
            piece, own, following = found
            pieces.append(piece)
            values += own
            if following[1] is None:
                return ReadPieces(pieces, tuple(values)) if _is_complete(pieces) else None
            position = following.start(1)

    def _find(self, text: str, position: int) -> tuple[Piece, list[str], re.Match[str]] | None:
        words = _TWO_WORDS.match(text, position)
        if words is not None:
            for key in words.group(0, 1):
                if key in self._shipped:
                    self._unpack(key)
                for piece in self._by_words.get(key, ()):
                    match = piece.match(text, position)
                    if match is not None:
                        return piece, *match
        return None

    def _unpack(self, words: str) -> None:
        for piece in self._shipped.pop(words)():
            self.add(piece)


def pieces_of(parsed: ParsedRule, text: str) -> Iterator[Piece]:
    """The pieces that a parsed rule is made of; none where its parts depend on each other."""
    starts = [start for start, _ in parsed.parts]
    tokens = [token.start for token in parsed.tokens]
    for (start, part), following in zip(parsed.parts, [*starts[1:], None]):
        end = len(text) if following is None else following - 1
        first, last = bisect_left(tokens, start), bisect_left(tokens, end)
        pattern = pattern_of(parsed.tokens[first:last], text, start, end)
        if _UNUSUAL_BLANK.search(pattern.with_words("x" * len(pattern.words))):
            return
        piece = Piece(pattern, moved(part, -first))
        piece.followers.add(None if following is None else text[following:].partition(" ")[0])
        yield piece


# Two blanks within a part are usual: iptables-save writes `--nfacct-name  NAME`.
_UNUSUAL_BLANK = lazy_pattern(r"\A\\ |[\t\n]|\\ \Z")


def first_words(pattern: LinePattern) -> str:
    """The two words that a piece begins with, one where the second is a value."""
    words = _TWO_WORDS.match(_unescaped(pattern.literals[0]))
    return "" if words is None else words[0]


def _unescaped(literal: str) -> str:
    return "\\".join([part.replace("\\", "") for part in literal.split("\\\\")])


def _matching(word: str) -> Callable[[str, int], re.Match[str] | None]:
    """What matches a word. Its whole pattern is compiled only for words that begin like keywords."""
    free = freely_begun(word)
    match = re.compile(free, re.DOTALL).match
    if free == word:
        return match
    return lambda text, position: match(text, position) or re.compile(word, re.DOTALL).match(text, position)


def _placed(pieces: Sequence[Piece]) -> Iterator[Part]:
    slot = 0
    for piece in pieces:
        yield piece.at(slot)
        slot += len(piece.pattern.words)


def _is_complete(pieces: Sequence[Piece]) -> bool:
    """Whether the parts make a rule: what the grammar alone cannot refuse is left to the parser to refuse."""
    own = [piece.part.name for piece in pieces if isinstance(piece.part, Option)]
    targets = sum(isinstance(piece.part, Target) for piece in pieces)
    return isinstance(pieces[0].part, RuleOpening) and len(set(own)) == len(own) and targets <= 1
