"""API objects of captures, and ways to change them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from ipt_explain.compare.objects.cluster import judge_all
from ipt_explain.compare.objects.mismatches import Mismatch
from ipt_explain.compare.objects.reading import read_objects
from ipt_explain.parsing import read_dump
from tests.kube_corpus import Scenario


def judged(objects: Any, *dumps: str, node: str | None = None) -> tuple[Mismatch, ...]:
    """The mismatches of dumps against objects."""
    texts = [read_dump(text, source=f"dump-{number}") for number, text in enumerate(dumps)]
    return judge_all(read_objects(json.dumps(objects), "objects.json"), texts, node).mismatches


def save_texts(capture: Scenario) -> list[str]:
    """Its dumps of both families, without counters."""
    return [capture.ipv4, *([capture.ipv6] if capture.ipv6 else [])]


def items(objects: Any, kind: str, name: str | None = None) -> Iterator[Any]:
    """The objects of a kind, or only those of the Service with this name."""
    for item in objects["items"]:
        labels = item["metadata"].get("labels") or {}
        owner = labels.get("kubernetes.io/service-name", item["metadata"]["name"])
        if item["kind"] == kind and name in (None, owner):
            yield item


def edited(objects: Any, edit: Callable[[Any], None]) -> Any:
    """An edited copy."""
    result = copy.deepcopy(objects)
    edit(result)
    return result
