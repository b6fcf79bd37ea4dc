"""One grammar, two speeds: Lark reads the first line or element of a form, a pattern reads the others.

A form has a pattern (the text between a line's values, with the grammar's terminals instead of the values) and the
recipe made from the parse tree. The kinds of values exclude each other (see the grammar), so Lark would read whatever a
pattern matches in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipt_explain.model import nft
    from ipt_explain.parsing.nft.forms.building import ManyElements, Recipe
    from ipt_explain.parsing.nft.trees import Node, Parsed

MOST_CHARACTERS = 4096
"""nft does not print longer lines, apart from braces, so Lark need not try them."""

_MAX_SKELETONS = 4096
_MAX_FORMS_OF_SKELETON = 16
_BRACES = re.compile(r'\{[^{}"]*(?:"[^"\n]*"[^{}"]*)*\}')

# Roughly the parts that vary between lines of one form, to look up forms for a line.
_VARYING = re.compile(r'"[^"\n]*"|\{[^{}]*\}|#[^\n]*|(?:jump|goto|chain|set|map) [^ ,{]+|(?<![^ ,])[^ ,]*[0-9@:][^ ,]*')


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
        key = skeleton(text)
        forms = self._forms.get(key)
        if forms is None:
            if len(self._forms) >= _MAX_SKELETONS:
                self._forms.clear()
                self._seen_once.clear()
            forms = self._forms[key] = self._shipped(key)
        seen = self._seen_once.pop(key, None)
        if seen is not None:
            pattern, make, many = seen
            forms.append(NftForm(re.compile(f"{self._before}{pattern}{self._after}"), make, pattern, many))
        return forms

    def parse(self, text: str, remember: bool = True) -> Any:
        """Parse with Lark and remember the form. Raises lark's UnexpectedInput, or ValueError for too long a text."""
        from ipt_explain.parsing.nft.forms.building import recipe_of
        from ipt_explain.parsing.nft.grammar import parse, terminal_pattern

        if len(text) > MOST_CHARACTERS and len(_BRACES.sub("", text)) > MOST_CHARACTERS:
            raise ValueError("too long for a line of nft's")
        parsed = parse(text, self._start)
        make = recipe_of(parsed.node, self._read_braces)
        key = skeleton(text)
        if remember and len(self._forms.get(key, ())) < _MAX_FORMS_OF_SKELETON:
            literals, terminals = around_values(text, parsed)
            pattern = _pattern_of(literals, map(terminal_pattern, terminals))
            self._seen_once[key] = pattern, make, self._many(parsed.node, bool(terminals))
        return make([text[start:end] for _, start, end in parsed.values])

    def _many(self, node: Node, varies: bool) -> Callable[[], ManyElements] | None:
        """What gives the recipe for many elements; None for lines, and where nothing varies, which comes once."""
        if self._start != "element" or not varies:
            return None
        from ipt_explain.parsing.nft.forms.building import recipe_of_many

        return partial(recipe_of_many, node, self._read_braces)

    def _shipped(self, key: str) -> list[NftForm]:
        """The forms of kube-proxy's lines that look like this."""
        from ipt_explain.parsing.nft.forms.building import recipe_of
        from ipt_explain.parsing.nft.forms.common_lines_table import FORMS, TERMINALS

        forms = []
        for literals, terminals, node in FORMS[self._start].get(key, ()):
            pattern = _pattern_of(literals, [TERMINALS[each] for each in terminals])
            compiled = re.compile(f"{self._before}{pattern}{self._after}")
            make = recipe_of(node, self._read_braces)
            forms.append(NftForm(compiled, make, pattern, self._many(node, bool(terminals))))
        return forms


def skeleton(text: str) -> str:
    """A line or element without what varies between those of one form, roughly."""
    return _VARYING.sub("", text)


def around_values(text: str, parsed: Parsed) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The text before, between and after the values of a parsed one, and the terminals of these."""
    ends = [0, *[end for _, _, end in parsed.values]]
    starts = [*[start for _, start, _ in parsed.values], len(text)]
    literals = tuple([text[end:start] for end, start in zip(ends, starts)])
    return literals, tuple([terminal for terminal, _, _ in parsed.values])


def _pattern_of(literals: Iterable[str], terminals: Iterable[str]) -> str:
    """The pattern of a form, a group for each value."""
    first, *others = map(re.escape, literals)
    return first + "".join([f"({terminal}){literal}" for terminal, literal in zip(terminals, others)])


def follow(previous: NftForm, form: NftForm) -> None:
    """Remember that `form` followed `previous`."""
    if previous.first is not form:
        previous.second = previous.first
        previous.first = form
