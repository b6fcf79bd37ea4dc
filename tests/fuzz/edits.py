"""Strategies that change texts and JSON values, in small steps, so that a failure shrinks to its cause."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.seeds import HOSTILE_WORDS, OBJECTS, dumps

Edit = Callable[[list[str]], None]

_PLACES = st.floats(0, 1, exclude_max=True, allow_subnormal=False)
WORDS = st.one_of(st.sampled_from(HOSTILE_WORDS), st.text(max_size=6))


def _at(lines: list[str], place: float) -> int:
    return int(place * len(lines))


@st.composite
def _edit(draw: st.DrawFn) -> Edit:
    kind = draw(st.sampled_from(("drop", "double", "move", "word", "insert", "append", "jump", "cut", "byte")))
    here, there, word = draw(_PLACES), draw(_PLACES), draw(WORDS)

    def edit(lines: list[str]) -> None:
        if not lines:
            lines.append(word)
            return
        index, other = _at(lines, here), _at(lines, there)
        line = lines[index]
        if kind == "drop":
            del lines[index]
        elif kind == "double":
            lines.insert(other, line)
        elif kind == "move":
            lines[index], lines[other] = lines[other], line
        elif kind == "insert":
            lines.insert(index, word)
        elif kind == "append":
            lines[index] = f"{line} {word}"
        elif kind == "cut":
            lines[index] = line[: int(there * len(line))]
        elif kind == "byte":
            place = int(there * len(line))
            lines[index] = line[:place] + word[:1] + line[place + 1 :]
        elif kind == "jump" and line.startswith("-A "):
            # Jump to any chain of the text: loops, dead ends, chains of another kind.
            chain = next((each.split()[0][1:] for each in lines[other:] if each.startswith(":")), "KUBE-SERVICES")
            lines[index] = f"{line.rsplit(' -j ', 1)[0]} -j {chain}"
        else:
            words = line.split(" ")
            words[int(there * len(words))] = word
            lines[index] = " ".join(words)

    return edit


@st.composite
def changed_dumps(draw: st.DrawFn) -> str:
    """A dump of any form with some changes; sometimes two dumps joined."""
    texts = dumps()
    text = draw(st.sampled_from(texts))
    if draw(st.integers(0, 9)) == 0:
        text += draw(st.sampled_from(texts))
    return changed(draw, text)


def changed(draw: st.DrawFn, text: str) -> str:
    """A text with some changes."""
    lines = text.split("\n")
    for edit in draw(st.lists(_edit(), max_size=8)):
        edit(lines)
    return "\n".join(lines)


# Copies, since later edits would otherwise change what the strategy draws.
_VALUES = st.one_of(
    WORDS, st.none(), st.booleans(), st.integers(), st.floats(), st.just([]), st.just({}),
    st.sampled_from([80, "TCP", "10.96.0.9", "None", "Local", [[]], {"a": {}}, 2**70, "a\ud800"]),
).map(copy.deepcopy)  # fmt: skip


def changed_json(draw: st.DrawFn, value: Any) -> Any:
    """A JSON value with some of its parts replaced, dropped, renamed or repeated."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(0, 4))):
        value = _changed_part(draw, value)
    return value


def _changed_part(draw: st.DrawFn, value: Any) -> Any:
    part = value
    while True:
        keys: list[Any] = list(part) if isinstance(part, dict) else list(range(len(part))) if isinstance(part, list) else []
        if not keys:
            return draw(_VALUES) if part is value else value
        key = draw(st.sampled_from(keys))
        if isinstance(part[key], (dict, list)) and part[key] and draw(st.integers(0, 3)):
            part = part[key]
            continue
        kind = draw(st.sampled_from(("replace", "drop", "wrap", "rename")))
        if kind == "replace":
            part[key] = draw(_VALUES)
        elif kind == "wrap":
            part[key] = [part[key], copy.deepcopy(part[key])]
        elif kind == "rename" and isinstance(part, dict):
            part[draw(WORDS)] = part.pop(key)
        else:
            del part[key]
        return value


@st.composite
def changed_objects(draw: st.DrawFn) -> str:
    """The cluster's objects as JSON or YAML, changed as values or as text."""
    value = changed_json(draw, OBJECTS)
    if draw(st.booleans()):
        import yaml

        # YAML has no lone surrogates; JSON without escapes is valid YAML.
        text = yaml.safe_dump(json.loads(json.dumps(value).replace("\\ud800", "")))
    else:
        text = json.dumps(value, indent=draw(st.sampled_from([None, 1])))
    return changed(draw, text) if draw(st.integers(0, 3)) == 0 else text
