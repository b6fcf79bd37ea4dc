"""Recipes that convert a parse tree to the model, shared by all lines of one form.

A recipe takes the words of the value tokens, in the order of the text, and builds the line's object. Parts that do not
depend on them are built once, with the recipe. A recipe for many elements takes columns of words instead, and the
line of each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, cast

from ipt_explain.columns import Columns
from ipt_explain.model import nft
from ipt_explain.parsing.nft.forms.phrases import PHRASES, only
from ipt_explain.parsing.nft.trees import Node
from ipt_explain.records import replace

Words = Sequence[str]
Recipe = Callable[[Words], Any]
Texts = Sequence[Sequence[str]]
ManyElements = Callable[[Texts, Sequence[int]], Sequence[nft.Element]]
Phrase = Callable[[list[Any]], Any]
ReadBraces = Callable[[str], nft.SetLiteral]

_DURATION = re.compile(r"([0-9]+)(ms|[smhdw])")
_SECONDS = {"w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_HANDLE = re.compile(r"# handle ([0-9]+)")


def recipe_of(node: Node, read_braces: ReadBraces) -> Recipe:
    """The recipe of a line's or element's parse tree."""
    constant, recipe = _compiled(node, read_braces)
    return recipe if recipe is not None else lambda words: constant


def recipe_of_many(node: Node, read_braces: ReadBraces) -> ManyElements:
    """The recipe of many elements of one form."""
    assert not isinstance(node, str)
    name, children = node
    assert isinstance(children, tuple)
    parts = [_column(child, read_braces) for child in children]
    plain = len(parts) == 1 or (len(parts) == 3 and children[1] == ":")  # a key, and perhaps its data
    make = PHRASES[cast("str", name)]

    def read(columns: Texts, lines: Sequence[int]) -> Sequence[nft.Element]:
        if plain:
            fields: dict[str, Sequence[Any]] = {"key": parts[0](columns), "line": lines}
            if len(parts) > 1:
                fields["data"] = parts[-1](columns)
            return Columns(nft.Element, fields)
        values = [part(columns) for part in parts]
        return [replace(make(list(each)), line=line) for line, *each in zip(lines, *values)]

    return read


def _column(node: Node, read_braces: ReadBraces) -> Callable[[Texts], Sequence[Any]]:
    """What makes a column of a node's objects; the same object in all if it does not vary."""
    constant, recipe = _compiled(node, read_braces)
    if recipe is None or isinstance(node, str):
        return lambda columns: (constant,) * len(columns[0])
    name, children = node
    if not isinstance(children, tuple):
        slot, read = cast("int", name), _reader(children, read_braces)
        return lambda columns: columns[slot] if read is None else _converted_all(columns[slot], read)
    parts = [_column(child, read_braces) for child in children]
    phrase = PHRASES[cast("str", name)]
    if phrase is only:
        return parts[0]
    if name == "value_concatenation":
        return lambda columns: nft.Concatenations(_shared([part(columns) for part in parts[0::2]]))
    return lambda columns: [phrase(list(each)) for each in zip(*[part(columns) for part in parts])]


def _converted_all(words: Sequence[str], read: Callable[[str], Any]) -> Sequence[Any]:
    """A column of converted words; mostly all are the same, such as the port of a Service's endpoints."""
    if words.count(words[0]) == len(words):
        return (read(words[0]),) * len(words)
    return list(map(read, words))


def _shared(columns: list[Sequence[Any]]) -> list[Sequence[Any]]:
    """Columns, of equal ones only the first: kube-proxy's hairpin-connections have each address twice."""
    return [next(each for each in columns[: place + 1] if each == column) for place, column in enumerate(columns)]


def _reader(terminal: str, read_braces: ReadBraces) -> Callable[[str], Any] | None:
    """What a value's text is converted by; None for a text that stays."""
    return read_braces if terminal == "BRACES" else _READERS.get(terminal)


def _compiled(node: Node, read_braces: ReadBraces) -> tuple[Any, Recipe | None]:
    """A node's object, or the recipe that builds it."""
    if isinstance(node, str):
        return node, None
    name, children = node
    if not isinstance(children, tuple):
        slot, read = cast("int", name), _reader(children, read_braces)
        return None, _plain(slot) if read is None else _converted(slot, read)
    parts = [_compiled(child, read_braces) for child in children]
    phrase = PHRASES[cast("str", name)]
    if phrase is only:
        return parts[0]
    constants = [constant for constant, _ in parts]
    varying = [(place, recipe) for place, (_, recipe) in enumerate(parts) if recipe is not None]
    if not varying:
        return phrase(constants), None

    return None, _with_one(phrase, constants, *varying[0]) if len(varying) == 1 else _with(phrase, constants, varying)


def _with_one(phrase: Phrase, constants: list[Any], place: int, recipe: Recipe) -> Recipe:
    def make(words: Words) -> Any:
        own = constants.copy()
        own[place] = recipe(words)
        return phrase(own)

    return make


def _with(phrase: Phrase, constants: list[Any], varying: Sequence[tuple[int, Recipe]]) -> Recipe:
    def make(words: Words) -> Any:
        own = constants.copy()
        for place, recipe in varying:
            own[place] = recipe(words)
        return phrase(own)

    return make


def _plain(slot: int) -> Recipe:
    return lambda words: words[slot]


def _converted(slot: int, read: Callable[[str], Any]) -> Recipe:
    return lambda words: read(words[slot])


def _seconds(text: str) -> int:
    return int(sum(int(count) * _SECONDS[unit] for count, unit in _DURATION.findall(text)) + 0.0005)


def _handle(text: str) -> int | None:
    found = _HANDLE.match(text)
    return int(found[1]) if found else None


_READERS: dict[str, Callable[[str], Any]] = {
    "NUMBER": int,
    "HEX": lambda text: int(text, 16),
    "STRING": lambda text: text[1:-1],
    "TIME": _seconds,
    "SET_NAME": lambda text: nft.SetReference(text[1:]),
    "TRAILING": _handle,
}
