"""One grammar, two speeds: Lark reads the first line or element of a form, a pattern reads the others.

A form has a pattern (the text between a line's values, with the grammar's terminals instead of the values) and the
recipe made from the parse tree. The kinds of values exclude each other (see the grammar), so Lark would read whatever a
pattern matches in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipt_explain.model import nft
    from ipt_explain.parsing.nft.building import ManyElements, Recipe

MOST_CHARACTERS = 4096
"""nft does not print longer lines, apart from braces, so Lark need not try them."""

_MAX_SKELETONS = 4096
_MAX_FORMS_OF_SKELETON = 16
_BRACES = re.compile(r'\{[^{}"]*(?:"[^"\n]*"[^{}"]*)*\}')

# Roughly the parts that vary between lines of one form, to look up forms for a line.
_VARYING = re.compile(r'"[^"\n]*"|\{[^{}]*\}|#[^\n]*|(?:jump|goto|chain|set|map) [^ ,]+|(?<![^ ,])[^ ,]*[0-9@:][^ ,]*')


class NftForm:
    """A pattern, a recipe, and the two forms that followed it last, one of which nearly always follows again.

    `source` is the pattern without the surrounding text; `recipe_of_many` gives the recipe for many elements at once.
    """

    __slots__ = ("first", "make", "match", "recipe_of_many", "second", "source")

    def __init__(
        self, pattern: re.Pattern[str], make: Recipe, source: str = "",
        recipe_of_many: Callable[[], ManyElements] | None = None,
    ) -> None:  # fmt: skip
        self.match: Callable[[str, int], re.Match[str] | None] = pattern.match
        self.make = make
        self.source = source
        self.recipe_of_many = recipe_of_many
        self.first: NftForm = self
        self.second: NftForm = self


class FormCache:
    """All forms of lines, or of elements, seen so far.

    `before` and `after` are patterns of the surrounding text. Groups in `after` come after those of the values.
    """

    def __init__(self, start: str, before: str, after: str, read_braces: Callable[[str], nft.SetLiteral]) -> None:
        self.nothing = NftForm(re.compile(r"(?!)"), lambda words: None)
        self._start = start
        self._before = before
        self._after = after
        self._read_braces = read_braces
        self._forms: dict[str, list[NftForm]] = {}
        self._seen_once: dict[str, tuple[str, Recipe, Callable[[], ManyElements] | None]] = {}

    def candidates(self, text: str) -> list[NftForm]:
        """The forms that a line or element may have. Compiling a pattern takes longer than parsing a line with Lark, so
        that waits until a second one looks the same."""
        key = _VARYING.sub("", text)
        forms = self._forms.get(key)
        if forms is None:
            if len(self._forms) >= _MAX_SKELETONS:
                self._forms.clear()
                self._seen_once.clear()
            forms = self._forms[key] = []
        seen = self._seen_once.pop(key, None)
        if seen is not None:
            pattern, make, many = seen
            forms.append(NftForm(re.compile(f"{self._before}{pattern}{self._after}"), make, pattern, many))
        return forms

    def parse(self, text: str, remember: bool = True) -> Any:
        """Parse with Lark and remember the form. Raises lark's UnexpectedInput, or ValueError for too long a text."""
        from ipt_explain.parsing.nft.building import recipe_of, recipe_of_many, value_tokens
        from ipt_explain.parsing.nft.grammar import parse, terminal_pattern

        if len(text) > MOST_CHARACTERS and len(_BRACES.sub("", text)) > MOST_CHARACTERS:
            raise ValueError("too long for a line of nft's")
        tree = parse(text, self._start)
        make = recipe_of(tree, self._read_braces)
        tokens = value_tokens(tree)
        key = _VARYING.sub("", text)
        if remember and len(self._forms.get(key, ())) < _MAX_FORMS_OF_SKELETON:
            parts, position = [], 0
            for token in tokens:
                assert token.start_pos is not None
                assert token.end_pos is not None
                parts.append(re.escape(text[position : token.start_pos]))
                parts.append(f"({terminal_pattern(token.type)})")
                position = token.end_pos
            parts.append(re.escape(text[position:]))
            several = self._start == "element" and tokens  # what does not vary is not there twice
            many = partial(recipe_of_many, tree, self._read_braces) if several else None
            self._seen_once[key] = ("".join(parts), make, many)
        return make([str(token) for token in tokens])


def follow(previous: NftForm, form: NftForm) -> None:
    """Remember that `form` followed `previous`."""
    if previous.first is not form:
        previous.second = previous.first
        previous.first = form
