"""Measure, in one run on one machine, and print each figure beside its goal.

    python -m tests.bench                      all of it: 3,200, 32,000 and 320,000 rules, some ten minutes
    python -m tests.bench --services 1000      one size
    python -m tests.bench --only start worst   some parts: sizes, start, worst

Every figure is CPU time (user and system) of a process and its children, the median of runs that take turns with those of
the yardsticks. Seconds differ from machine to machine; ratios differ less. There are two yardsticks:
`iptables-legacy-restore --test`, which reads and checks the same dump, and grows faster than it; and `tests.bench.splitter`,
which splits it into words, and is linear.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.generator import RULES_PER_DUMP, services
from tests.bench.goals import GOALS, GROWTH, SIZES, START, WORST, Goal
from tests.bench.measure import Cost, medians
from tests.bench.worst_cases import WORST_CASES

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "ipt_explain")
FRAGMENT = ROOT / "samples" / "fragment-2-three-pods.txt"
ENDPOINTS = 10
RULES_PER_SERVICE = 2 + 3 * ENDPOINTS
PARTS = ("sizes", "start", "worst")

RESTORE, SPLITTER = "iptables-legacy-restore", "line splitter"
_READ = "import sys; from ipt_explain.parsing import read_dump; read_dump(open(sys.argv[1]).read())"


@dataclass(frozen=True)
class Dump:
    """A generated dump on disk, and another that differs from it in some endpoints."""

    path: Path
    other: Path
    services: int

    @property
    def size(self) -> int:
        """In bytes."""
        return self.path.stat().st_size

    @property
    def rules(self) -> int:
        """How many rules it has."""
        return RULES_PER_DUMP + RULES_PER_SERVICE * self.services


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--services", type=int, nargs="+", default=SIZES, help="services a dump, 32 rules each")
    parser.add_argument("--runs", type=int, default=3, help="runs of which the median counts (3)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="the parts to measure (all)")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        # As where it is installed: modules are compiled once.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "compiled")
        if "start" in arguments.only:
            _report_start(arguments.runs)
        if "sizes" in arguments.only:
            _report_sizes(Path(folder), arguments.services, arguments.runs)
        if "worst" in arguments.only:
            _report_worst_cases(Path(folder))


def _report_sizes(folder: Path, sizes: Sequence[int], runs: int) -> None:
    per_rule: dict[str, list[float]] = {}
    for count in sizes:
        dump = _generate(folder, count)
        costs = medians(_commands(dump), runs)
        _report_size(dump, costs)
        for name, found in costs.items():
            per_rule.setdefault(name, []).append(found.cpu / dump.rules)
    if len(sizes) > 1:
        print(f"\ncost of a rule, {sizes[-1]:,} services against {sizes[-2]:,} (goal: {GROWTH})")
        for name, figures in per_rule.items():
            growth = figures[-1] / figures[-2]
            _row(name, _beside_goal(growth, None if name == RESTORE else GROWTH))


def _generate(folder: Path, count: int) -> Dump:
    """In a process of its own, as this one must stay small."""
    dump = Dump(folder / "a.txt", folder / "b.txt", count)
    for path, endpoints in ((dump.path, ENDPOINTS), (dump.other, ENDPOINTS - 1)):
        with path.open("wb") as file:
            subprocess.run([sys.executable, "-m", "tests.bench.generator", str(count), str(endpoints)], stdout=file, check=True)
    return dump


def _commands(dump: Dump) -> dict[str, Sequence[str]]:
    """What is measured, by the name it is printed with; the yardsticks first."""
    target = services(dump.services // 2 + 1, ENDPOINTS)[-1]
    path = str(dump.path)
    commands: dict[str, Sequence[str]] = {
        SPLITTER: (sys.executable, "-m", "tests.bench.splitter", path),
        "read": (sys.executable, "-c", _READ, path),
        "explain -o json": (*PROGRAM, "explain", "-o", "json", path),
        "explain": (*PROGRAM, "explain", path),
        "explain -o table": (*PROGRAM, "explain", "-o", "table", path),
        "explain --service": (*PROGRAM, "explain", "--service", target.name, "-o", "json", path),
        "audit -o json": (*PROGRAM, "audit", "-o", "json", path),
        "audit": (*PROGRAM, "audit", path),
        "trace -o json": (
            *PROGRAM, "trace", "--from", "10.128.0.1", "--to", f"{target.vip}:{target.port}", "-o", "json", path,
        ),
        "show CHAIN": (*PROGRAM, "show", target.chain, path),
        "compare A A": (*PROGRAM, "compare", path, path),
        "compare A B": (*PROGRAM, "compare", path, str(dump.other)),
    }  # fmt: skip
    tool = shutil.which(RESTORE, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    unshare = shutil.which("unshare")
    if tool is not None and unshare is not None and os.geteuid() == 0:
        # In a network namespace of its own, so that no table is made here.
        commands = {RESTORE: (unshare, "-n", tool, "--test", path), **commands}
    return commands


def _report_size(dump: Dump, costs: Mapping[str, Cost]) -> None:
    print(f"\n{dump.services:,} services x {ENDPOINTS} endpoints: {dump.rules:,} rules, {dump.size / 1e6:.1f} MB")
    _row("", "CPU", "x restore", "x splitter", "memory / file")
    restore, splitter = costs.get(RESTORE), costs[SPLITTER]
    for name, found in costs.items():
        goal = GOALS.get(name, {}).get(dump.services, Goal())
        against = "-" if restore is None else _beside_goal(found.cpu / restore.cpu, goal.restore)
        memory = _beside_goal(found.memory / dump.size, goal.memory)
        _row(name, _seconds(found), against, f"{found.cpu / splitter.cpu:.2f}", memory)


def _report_start(runs: int) -> None:
    reference = "import click, rich"
    commands: dict[str, Sequence[str]] = {reference: (sys.executable, "-c", reference)}
    for command in START:
        commands[command] = (*PROGRAM, command, *(() if command == "rules" else (str(FRAGMENT),)))
    medians(commands, 1)  # compiles the modules
    costs = medians(commands, 3 * runs)
    print(f"start: {FRAGMENT.name} against `{reference}` ({costs[reference].cpu:.3f} s)")
    for command, goal in START.items():
        _row(command, _beside_goal(costs[command].cpu / costs[reference].cpu, goal))


def _report_worst_cases(folder: Path) -> None:
    commands = {
        "explain": ("explain", "-o", "json"),
        "audit": ("audit", "-o", "json"),
        "trace": ("trace", "--from", "10.0.0.1", "--to", "10.96.0.1:80", "-o", "json"),
        "show": ("show", "PREROUTING", "INPUT"),
        "graph": ("graph", "-o", "json"),
        "compare": ("compare", "-o", "json"),
    }
    print("\nworst cases, CPU seconds and MB (! no answer)")
    _row("", *commands)
    for case, lines in WORST_CASES.items():
        path = folder / "worst.txt"
        with path.open("w") as file:
            file.writelines(lines())
        words = {name: (*PROGRAM, *words, *[str(path)] * (2 if name == "compare" else 1)) for name, words in commands.items()}
        costs = medians(words, 1)
        _row(case, *(_worst(case, name, found) for name, found in costs.items()))


def _worst(case: str, command: str, found: Cost) -> str:
    figure = f"{_seconds(found)} {found.memory / 1e6:.0f}"
    goal = WORST.get((case, command))
    return figure if goal is None else f"{figure} ({goal:g} s)"


def _seconds(found: Cost) -> str:
    """A refusal with a clear message is an answer, too."""
    answered = found.ok or (found.status == 2 and "internal error" not in found.errors)
    return f"{found.cpu:.2f} s" + ("" if found.ok else " refused" if answered else " !")


def _beside_goal(figure: float, goal: float | None) -> str:
    """A figure, and the most that it should be; marked where it is more."""
    if goal is None:
        return f"{figure:.2f}"
    return f"{figure:.2f} ({goal:g}{'' if figure <= goal else ' MISSED'})"


def _row(name: str, *cells: str) -> None:
    print(f"{name:34}" + "".join(f"{cell:>20}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
