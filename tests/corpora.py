"""Captured data other than kube-proxy's dumps: kernel verdicts, bad input, input for iptables-restore."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import Any

from tests.archives import read_archive


@dataclass(frozen=True)
class KernelCase:
    """A dump, packets sent through it, and what the kernel did with them.

    For each packet, `data["packets"]` has the expectation and, by backend (`legacy`, `nft`), what was `observed`.
    """

    name: str
    dump: str
    data: Any


@dataclass(frozen=True)
class MalformedInput:
    """Wrong or nearly wrong input, and iptables-restore's answers by tool and mode (`legacy_test`, `nft_load`, …)."""

    name: str
    content: bytes
    why: str
    results: Any

    @property
    def accepted_by_legacy(self) -> bool:
        """Whether `iptables-legacy-restore --test` accepted it."""
        return bool(self.results["legacy_test"]["accepted"])


@dataclass(frozen=True)
class RestoreInput:
    """kube-proxy's input for `iptables-restore --noflush --counters`; the first of a `capture` is a full sync."""

    capture: str
    name: str
    text: str

    @property
    def id(self) -> str:
        """`1.30-policy/00-ipv4`."""
        return f"{self.capture}/{self.name}"


@functools.cache
def kernel_cases() -> tuple[KernelCase, ...]:
    """Every case, by name."""
    files = read_archive("kernel")
    cases = []
    for path, content in files.items():
        data = json.loads(content) if path.endswith(".json") else {}
        if "packets" in data:
            cases.append(KernelCase(data["name"], files[data["dump"]].decode(), data))
    return tuple(cases)


@functools.cache
def malformed_inputs() -> tuple[MalformedInput, ...]:
    """Every bad input, sorted by file name."""
    files = read_archive("malformed")
    return tuple(
        MalformedInput(entry["file"], files[entry["file"]], entry["why"], entry["results"])
        for entry in json.loads(files["expected.json"])
    )


@functools.cache
def restore_inputs() -> tuple[RestoreInput, ...]:
    """Every input, sorted by capture and time."""
    return tuple(
        RestoreInput(path.split("/")[0], path.split("/")[1].removesuffix(".txt"), content.decode())
        for path, content in read_archive("restore-input").items()
        if path.endswith(".txt")
    )
