"""JSON and YAML documents of whatever shape, and what stands in them if it is of the type that the API has there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ipt_explain.errors import UsageError

HOW = "kubectl get services,endpointslices,nodes -A -o json"

_MORE = re.compile(r"\S")


def documents(text: str, source: str) -> Iterator[Any]:
    """The documents of a text: one of JSON, several one behind the other, or YAML. Raises UsageError for others."""
    if not text.strip():
        raise UsageError(f"{source}: the file of objects is empty; write it with `{HOW}`")
    if text.lstrip()[:1] in "{[":
        try:
            yield json.loads(text)
            return
        except ValueError as error:
            first_error = error
        # Several JSON documents, one behind the other, as `kubectl ... ; kubectl ...` leaves them.
        decoder, position = json.JSONDecoder(), 0
        found = []
        while begin := _MORE.search(text, position):
            try:
                document, position = decoder.raw_decode(text, begin.start())
            except ValueError:
                raise UsageError(f"{source}: this is not JSON: {first_error}") from None
            found.append(document)
        yield from found
        return
    yield from _yaml_documents(text, source)


def _yaml_documents(text: str, source: str) -> Iterator[Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        yield from yaml.load_all(text, Loader=loader)
    except (yaml.YAMLError, ValueError) as error:
        said = str(getattr(error, "problem", None) or error).splitlines()[0]
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
        raise UsageError(f"{source}{place}: this is neither JSON nor YAML: {said}") from None


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
