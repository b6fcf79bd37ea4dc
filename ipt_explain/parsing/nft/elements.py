"""Reading the elements of sets and maps, in a set's block and in the braces of a rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, chain, repeat
from typing import TYPE_CHECKING, Any

from ipt_explain.columns import Columns, column
from ipt_explain.model import nft
from ipt_explain.parsing.nft.forms.forms import FormCache, NftForm, follow
from ipt_explain.records import Record

if TYPE_CHECKING:
    from ipt_explain.parsing.nft.forms.building import ManyElements

_BLANK = re.compile(r"[ \t\n]*")
_RAW = re.compile(r'[^,{}"]*(?:"[^"\n]*"[^,{}"]*)*')
_ELISION = re.compile(r"(?:\.{3,}|…)\Z")

_WORTH_COMPILING = 48
"""After so many elements of a form, later ones are read many at a time."""


class ReadElements(Record):
    """The elements up to a closing brace, and the position after it.

    `closed` is False if the text ends first; `elided` says that dots stand for some elements.
    """

    elements: Sequence[nft.Element]
    end: int
    closed: bool
    elided: bool


class _Many:
    """Reads elements of one form that follow each other, each with its comma, the last perhaps with the brace."""

    def __init__(self, source: str, make: ManyElements) -> None:
        self._find = re.compile(rf"({source}[ \t\n]*[,}}][ \t\n]*)|(?s:.)+").findall
        self._make = make
        self._close = -1
        self._text = ""

    def read(self, text: str, position: int, line: int) -> tuple[Sequence[nft.Element], int, int, bool]:
        """The elements that follow at once, the position and line after them, and whether the brace was among them."""
        if text is not self._text or self._close < position:
            self._text, self._close = text, text.find("}", position)
        rows = self._find(text, position, len(text) if self._close < 0 else self._close + 1)
        if rows and not rows[-1][0]:
            rows.pop()
        if not rows:
            return (), position, line, False
        wholes, *columns = zip(*rows)
        position += sum(map(len, wholes))
        closed = wholes[-1].endswith("}")
        if not line:
            return self._make(columns, (0,) * len(rows)), position, 0, closed
        lines = list(accumulate(map(str.count, wholes, repeat("\n")), initial=line))
        return self._make(columns, lines[:-1]), position, lines[-1], closed


class ElementReader:
    """Reads elements. Text that the grammar does not know becomes an element whose key is Unread."""

    def __init__(self) -> None:
        self._cache = FormCache("element", "", r"[ \t\n]*([,}])[ \t\n]*", self.literal)
        self._form = self._cache.nothing
        self._repeats: dict[NftForm, int] = {}
        self._many: dict[NftForm, _Many] = {}

    def literal(self, braces: str) -> nft.SetLiteral:
        """The set or map in the braces of a rule."""
        read = self.read(braces, 1, 0)
        return nft.SetLiteral((*read.elements, _ELIDED) if read.elided else read.elements)

    def read(self, text: str, position: int, line: int) -> ReadElements:
        """The elements after an opening brace on line `line`; 0 means not to count lines."""
        pieces: list[Sequence[nft.Element]] = []
        elements: list[nft.Element] = []
        elided = False
        position, line = self._over_blank(text, position, line)
        form = self._form
        many = self._many.get(form)
        while True:
            if many is not None:
                found, position, line, closed = many.read(text, position, line)
                pieces += elements, found
                elements = []
                if closed:
                    self._form = form
                    return ReadElements(_joined(pieces), self._over_blank(text, position, 0)[0], True, elided)
            following = form.first
            match = following.match(text, position)
            if match is None:
                following = form.second
                match = following.match(text, position)
                if match is not None:
                    follow(form, following)
            element: nft.Element | None
            if match is not None:
                many = self._many_of(form) if following is form else None
                form = following
                element = form.make(match.groups())
                closing, end = match[match.lastindex or 0], match.end()
            else:
                many = None
                element, closing, end, form = self._read_odd(text, position, form)
            if element is None:
                elided = True
            elif element is not _NOTHING:
                elements.append(_at(element, line) if line else element)
            if closing != ",":
                self._form = form
                return ReadElements(_joined([*pieces, elements]), end, closing == "}", elided)
            if line:
                line += text.count("\n", position, end)
            position = end

    def _many_of(self, form: NftForm) -> _Many | None:
        """What reads many elements of a form that has come twice in a row; None if that is rare."""
        repeats = self._repeats[form] = self._repeats.get(form, 0) + 1
        if repeats == _WORTH_COMPILING and form.recipe_of_many is not None:
            self._many[form] = _Many(form.source, form.recipe_of_many())
        return self._many.get(form)

    def _read_odd(self, text: str, position: int, form: NftForm) -> tuple[nft.Element | None, str, int, NftForm]:
        """An element of another form (None for dots), what follows it, where the next begins, and its form."""
        raw = _RAW.match(text, position)
        assert raw is not None
        word = raw[0].rstrip()
        for candidate in self._cache.candidates(word):
            match = candidate.match(text, position)
            if match is not None:
                follow(form, candidate)
                return candidate.make(match.groups()), match[match.lastindex or 0], match.end(), candidate
        closing = text[raw.end() : raw.end() + 1]
        end = self._over_blank(text, raw.end() + 1, 0)[0] if closing in (",", "}") else raw.end()
        return None if _ELISION.match(word) else self._parsed(word), closing, end, form

    def _over_blank(self, text: str, position: int, line: int) -> tuple[int, int]:
        blank = _BLANK.match(text, position)
        assert blank is not None
        return blank.end(), line and line + text.count("\n", position, blank.end())

    def _parsed(self, word: str) -> nft.Element:
        from lark.exceptions import UnexpectedInput

        if not word:
            return _NOTHING
        try:
            element: nft.Element = self._cache.parse(word)
        except (UnexpectedInput, ValueError):
            return nft.Element(nft.Unread(word))
        return element


def _joined(pieces: Sequence[Sequence[nft.Element]]) -> Sequence[nft.Element]:
    """Elements, in columns if most are, and the others have no more than a key and data."""
    held = [piece for piece in pieces if piece]
    alone = [element for piece in held if not isinstance(piece, Columns) for element in piece]
    if len(held) == 1 and not alone:
        return held[0]
    if len(alone) * 2 > sum(map(len, held)) or any(map(_says_more, alone)):
        return tuple(chain.from_iterable(held))
    fields = {field: _one_column([column(piece, field) for piece in held]) for field in ("key", "data", "line")}
    return Columns(nft.Element, fields)


def _one_column(columns: Sequence[Sequence[Any]]) -> Sequence[Any]:
    for each in columns:
        if isinstance(each, nft.Concatenations):
            parts = [nft.in_parts(other, len(each.parts)) for other in columns]
            if None not in parts:
                return nft.Concatenations([list(chain.from_iterable(same)) for same in zip(*parts)])
    return list(chain.from_iterable(columns))


def _says_more(element: nft.Element) -> bool:
    return (element.comment, element.timeout, element.expires, element.counter) != (None, None, None, None)


_ELIDED = nft.Element(nft.Unread("..."))
_NOTHING = nft.Element(nft.Unread(""))


def _at(element: nft.Element, line: int) -> nft.Element:
    return nft.Element(
        element.key, element.data, element.comment, element.timeout, element.expires, element.counter, line
    )
