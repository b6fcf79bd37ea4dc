"""Output of `iptables -L` for known rules and for nodes with kube-proxy.

`tests/data/listings.tar.xz` has `rules.jsonl`, rules as printed by iptables-save, with the lines that `iptables -L -n` and
`-L -n -v` (1.8.9, legacy and nf_tables, IPv4 and IPv6) print for them, and a folder per node with its dump and its listings
in four styles.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass

from tests.archives import read_archive


@dataclass(frozen=True)
class ListedRule:
    """One rule as printed by iptables-save, and its rows in listings with and without -v."""

    chain: str
    saved: str
    with_interfaces: str
    without: str


@functools.cache
def _files() -> Mapping[str, str]:
    return {name: text.decode("utf-8", "surrogateescape") for name, text in read_archive("listings").items()}


@functools.cache
def listed_rules() -> tuple[ListedRule, ...]:
    """All rules."""
    rows = map(json.loads, _files()["rules.jsonl"].splitlines())
    return tuple(ListedRule(row["chain"], row["saved"], row["listed_nv"], row["listed_n"]) for row in rows)


def nodes() -> list[str]:
    """The names of the nodes."""
    return sorted({name.partition("/")[0] for name in _files() if "/" in name})


def node(name: str) -> Mapping[str, str]:
    """The texts of a node by file name: `iptables-save.txt`, `iptables-L-nv.txt`, …"""
    return {path.partition("/")[2]: text for path, text in _files().items() if path.startswith(name + "/")}
