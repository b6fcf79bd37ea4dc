"""JSON and YAML documents, and access to their values that tolerates any type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ipt_explain.errors import UsageError
from ipt_explain.inputs.json_values import json_values, of_characters

HOW = "kubectl get services,endpointslices,nodes -A -o json"


def documents(text: str, source: str) -> Iterator[Any]:
    """The documents in a text: one or more of JSON, or YAML. Raises UsageError for anything else."""
    if not text.strip():
        raise UsageError(f"{source}: the file of objects is empty; write it with `{HOW}`")
    if text.lstrip()[:1] in "{[":
        yield from json_values(text, source)
    else:
        from ipt_explain.compare.objects.yaml_values import yaml_documents

        yield from yaml_documents(of_characters(text), source)


def map_of(document: Any, key: str) -> dict[str, Any]:
    """The mapping under a key, empty if there is none."""
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, dict) else {}


def list_at(document: Any, key: str) -> list[Any]:
    """The list under a key, empty if there is none."""
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, list) else []


def word_of(document: Any, key: str) -> str:
    """The text under a key, empty if there is none."""
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, str) else ""


def number_of(value: Any) -> int | None:
    """A positive whole number, None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
