"""Rules of every module, as accepted and saved by iptables 1.8.9, legacy and nf_tables, IPv4 and IPv6.

`tests/data/syntax.tar.xz` has `rules.jsonl`, one rule per line with its input and what the four tools saved, and
`options.tsv`, every module's options with their arity, written from iptables' sources and man pages.
"""

from __future__ import annotations

import csv
import functools
import json
from dataclasses import dataclass

from tests.archives import read_archive


@dataclass(frozen=True)
class SavedRule:
    """One rule: the input of iptables, the output of iptables-save, and whether that could be loaded again."""

    given: str | None
    saved: str
    reloads: bool


@dataclass(frozen=True)
class KnownOption:
    """One option of a match or target. `arity` is the number of its arguments, `0|1` where there may be one."""

    kind: str
    module: str
    name: str
    arity: str
    negatable: bool


@functools.cache
def _files() -> dict[str, bytes]:
    return read_archive("syntax")


@functools.cache
def saved_rules() -> tuple[SavedRule, ...]:
    """Every rule, once for each different text that was saved. `given` is None if the input was not text."""
    rules = (json.loads(line) for line in _files()["rules.jsonl"].decode().splitlines())
    return tuple(
        dict.fromkeys(
            SavedRule(
                rule["input"] if isinstance(rule["input"], str) else None, rule["saved"], rule["roundtrip"] is True
            )
            for rule in rules
        )
    )


@functools.cache
def known_options() -> tuple[KnownOption, ...]:
    """The options of all matches and targets; a module without options has one named `-`."""
    rows = csv.DictReader(_files()["options.tsv"].decode().splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple(
        KnownOption(row["kind"], row["module"], row["option"], row["arity"], row["negatable"] == "y")
        for row in rows
        if row["kind"] != "core"
    )
