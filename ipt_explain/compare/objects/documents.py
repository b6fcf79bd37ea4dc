"""JSON and YAML documents of whatever shape, and what stands in them if it is of the type that the API has there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ipt_explain.errors import UsageError
from ipt_explain.inputs.json_values import json_values, of_characters
from ipt_explain.inputs.limits import LONGEST_NUMBER, NESTING, YAML_ALIAS_NODES

HOW = "kubectl get services,endpointslices,nodes -A -o json"

# Numbers of all of YAML 1.1's forms; the loader's work for one grows with the square of its length.
_NUMBER = re.compile(r"[-+.0-9][-+.0-9_:a-fA-Fxo]*\Z")


def documents(text: str, source: str) -> Iterator[Any]:
    """The documents of a text: one of JSON, several one behind the other, or YAML. Raises UsageError for others."""
    if not text.strip():
        raise UsageError(f"{source}: the file of objects is empty; write it with `{HOW}`")
    if text.lstrip()[:1] in "{[":
        yield from json_values(text, source)
    else:
        yield from _yaml_documents(text, source)


def _yaml_documents(text: str, source: str) -> Iterator[Any]:
    import yaml

    text = of_characters(text)
    _measure_yaml(text, source)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        yield from yaml.load_all(text, Loader=loader)
    except (yaml.YAMLError, ValueError) as error:
        raise _no_yaml(error, source) from None
    except (KeyError, IndexError, TypeError, AttributeError):
        # PyYAML's constructors trust a tag: `!!bool maybe`, `!!int ""`, `!!timestamp x`.
        raise UsageError(f"{source}: a tag (!!) stands at a value that is not of its type") from None


def _measure_yaml(text: str, source: str) -> None:
    """Raises UsageError for YAML that is nested too deeply (its parser would run out of stack) or whose aliases repeat
    too much, before anything is built from it.
    """
    import yaml

    depth, most_depth = 0, NESTING.value()
    repeated, most_repeated = 0, YAML_ALIAS_NODES.value()
    sizes: dict[str | None, int] = {}  # of what anchors name, aliases in it counted as often as they are reached
    open_anchors: list[tuple[str | None, int]] = []
    count = 0
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.AliasEvent):
                size = sizes.get(event.anchor, 1)
                count += size
                repeated += size
                if repeated > most_repeated:
                    raise YAML_ALIAS_NODES.exceeded(source, "its aliases repeat")
            elif isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                count += 1
                open_anchors.append((event.anchor, count))
                if depth > most_depth:
                    raise NESTING.exceeded(source, "it is nested")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
                anchor, before = open_anchors.pop()
                if anchor is not None:
                    sizes[anchor] = count - before + 1
            elif isinstance(event, yaml.ScalarEvent):
                count += 1
                sizes[event.anchor] = 1
                if len(event.value) > LONGEST_NUMBER and _NUMBER.match(event.value):
                    raise UsageError(f"{source}: a number of {len(event.value):,} signs fits no field")
            elif isinstance(event, yaml.DocumentStartEvent):
                sizes.clear()
    except yaml.YAMLError as error:
        raise _no_yaml(error, source) from None


def _no_yaml(error: Exception, source: str) -> UsageError:
    said = (str(getattr(error, "problem", None) or error).splitlines() or ["it cannot be read"])[0]
    mark = getattr(error, "problem_mark", None)
    place = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
    return UsageError(f"{source}{place}: this is neither JSON nor YAML: {said}")


def map_of(document: Any, key: str) -> dict[str, Any]:
    """The mapping under a key, empty where there is none."""
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, dict) else {}


def list_of(document: Any, key: str) -> list[Any]:
    """The list under a key, empty where there is none."""
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, list) else []


def word_of(document: Any, key: str) -> str:
    """The text under a key, empty where there is none."""
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, str) else ""


def number_of(value: Any) -> int | None:
    """A positive whole number, None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
