"""The JSON Schemas of the documents that the program prints and reads, one file each: `NAME-NUMBER.json`."""

from __future__ import annotations

from importlib.resources import files

SCHEMAS = {
    "explain": 2,
    "audit": 1,
    "trace": 1,
    "show": 1,
    "compare": 2,
    "graph": 1,
    "rules": 1,
    "baseline": 2,
    "digest": 2,
}
"""Each document's name and the number of its schema."""


def schema_text(name: str) -> str:
    """A document's JSON Schema (draft 2020-12). Raises KeyError for an unknown document."""
    return files(__name__).joinpath(f"{name}-{SCHEMAS[name]}.json").read_text(encoding="utf-8")
