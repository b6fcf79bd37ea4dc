"""Captured rulesets of kube-proxy's nftables mode, printed by several releases of nft, and one of other programs."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import Any

from tests.archives import read_archive


@dataclass(frozen=True)
class Listing:
    """A ruleset printed by `nft list ruleset`, and by `nft -j list ruleset` if captured.

    `name` is `RELEASE/SCENARIO/FILE`; `truth` is derived from the cluster's objects, None for other programs' rules.
    """

    name: str
    text: str
    json: str | None
    truth: Any


@functools.cache
def listings() -> tuple[Listing, ...]:
    """Every listing that is not empty: nft 0.9.8 (bullseye) printed nothing for some."""
    files = read_archive("nftables")
    found = []
    for path, content in files.items():
        if path.endswith(".txt") and content:
            beside = files.get(path.removesuffix("txt") + "json")
            truth = files.get(path.rsplit("/", 1)[0] + "/truth.json")
            found.append(
                Listing(
                    path.removesuffix(".txt"),
                    content.decode(),
                    beside.decode() if beside else None,
                    json.loads(truth) if truth else None,
                )
            )
    return tuple(found)


def listing(name: str) -> Listing:
    """The listing with this name."""
    return next(each for each in listings() if each.name == name)
