"""The dumps to measure, on disk, and the commands to measure on each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.generator import services

PROGRAM = (sys.executable, "-m", "ipt_explain")
ENDPOINTS = 10
RULES_PER_SERVICE = 2 + 3 * ENDPOINTS
RESTORE, SPLITTER = "iptables-legacy-restore --test", "a plain line splitter"
_READ = "import sys; from ipt_explain.parsing import read_dump; read_dump(open(sys.argv[1]).read())"


@dataclass(frozen=True)
class Dump:
    """A generated dump. Dumps of one `scale` have about as many rules."""

    title: str
    scale: int
    rules: int
    size: int
    """In bytes."""
    commands: Mapping[str, Sequence[str]]
    """By printed name, the yardsticks first."""


def even(folder: Path, count: int) -> Dump:
    """`count` Services of ten endpoints each, and another dump with other endpoints to compare it with."""
    path, other = folder / f"{count}.txt", folder / f"{count}-other.txt"
    _generate(path, str(count), str(ENDPOINTS))
    _generate(other, str(count), str(ENDPOINTS - 1))
    target = services(count // 2 + 1, ENDPOINTS)[-1]
    packet = ("--from", "10.128.0.1", "--to", f"{target.vip}:{target.port}")
    commands = {
        **_yardsticks(path),
        "read": (sys.executable, "-c", _READ, str(path)),
        "explain": (*PROGRAM, "explain", str(path)),
        "explain -o table": (*PROGRAM, "explain", "-o", "table", str(path)),
        "explain -o json": (*PROGRAM, "explain", "-o", "json", str(path)),
        "explain --service NAME": (*PROGRAM, "explain", "--service", target.name, str(path)),
        "audit": (*PROGRAM, "audit", str(path)),
        "audit -o json": (*PROGRAM, "audit", "-o", "json", str(path)),
        "trace": (*PROGRAM, "trace", *packet, str(path)),
        "show CHAIN": (*PROGRAM, "show", target.chain, str(path)),
        "graph": (*PROGRAM, "graph", str(path)),
        "compare A A": (*PROGRAM, "compare", str(path), str(path)),
        "compare A B": (*PROGRAM, "compare", str(path), str(other)),
    }
    return _dump(path, f"{count:,} Services of {ENDPOINTS} endpoints", RULES_PER_SERVICE * count, commands)


def mixed(folder: Path, scale: int) -> Dump:
    """Services of all sizes, some exposed: the dumps of real clusters, and shapes enough to slow down who counts on few."""
    path = folder / f"{scale}-mixed.txt"
    _generate(path, "--mixed", str(scale))
    commands = {
        **_yardsticks(path),
        "explain -o json": (*PROGRAM, "explain", "-o", "json", str(path)),
        "audit -o json": (*PROGRAM, "audit", "-o", "json", str(path)),
    }
    return _dump(path, "Services of 0 to 100 endpoints, a tenth of them exposed", scale, commands)


def _dump(path: Path, what: str, scale: int, commands: Mapping[str, Sequence[str]]) -> Dump:
    with path.open("rb") as file:
        rules = sum(line.startswith(b"-A ") for line in file)
    return Dump(f"{what}: {rules:,} rules", scale, rules, path.stat().st_size, commands)


def _generate(path: Path, *words: str) -> None:
    """In a separate process, since this one must stay small."""
    with path.open("wb") as file:
        subprocess.run([sys.executable, "-m", "tests.bench.generator", *words], stdout=file, check=True)


def _yardsticks(path: Path) -> dict[str, Sequence[str]]:
    splitter = (sys.executable, "-m", "tests.bench.splitter", str(path))
    tool = shutil.which("iptables-legacy-restore", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    unshare = shutil.which("unshare")
    if tool is None or unshare is None or os.geteuid() != 0:
        return {SPLITTER: splitter}
    # In a separate network namespace, so that it creates no table here.
    return {RESTORE: (unshare, "-n", tool, "--test", str(path)), SPLITTER: splitter}
