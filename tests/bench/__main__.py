"""Measure, in one run on one machine, and print each figure with its goal.

    python -m tests.bench                      all of it: 3,200, 32,000 and 320,000 rules, some fifteen minutes
    python -m tests.bench --quick              one run of each instead of three, without 320,000 rules: two minutes
    python -m tests.bench --services 1000      one size
    python -m tests.bench --only start worst   some parts: sizes, start, worst
    python -m tests.bench --markdown           as the README has it

Every figure is CPU time (user and system) of a process and its children, the median of runs that alternate with the
yardsticks. Seconds differ between machines; ratios differ less. There are two yardsticks: `iptables-legacy-restore --test`,
which reads and checks the same dump and whose cost grows faster than the dump; and `tests.bench.splitter`, which splits it
into words in linear time.
"""

from __future__ import annotations

import argparse
import datetime
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.generator import RULES_PER_DUMP, services
from tests.bench.goals import GOALS, GROWTH, SIZES, START, WORST, Goal
from tests.bench.measure import Cost, medians
from tests.bench.tables import Table, beside_goal
from tests.bench.worst_cases import WORST_CASES

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "ipt_explain")
FRAGMENT = ROOT / "samples" / "fragment-2-three-pods.txt"
ENDPOINTS = 10
RULES_PER_SERVICE = 2 + 3 * ENDPOINTS
PARTS = ("start", "sizes", "worst")

RESTORE, SPLITTER = "iptables-legacy-restore --test", "a plain line splitter"
_REFERENCE = "import click, rich"
_READ = "import sys; from ipt_explain.parsing import read_dump; read_dump(open(sys.argv[1]).read())"


@dataclass(frozen=True)
class Dump:
    """A generated dump on disk, and another with some different endpoints."""

    path: Path
    other: Path
    services: int

    @property
    def size(self) -> int:
        """In bytes."""
        return self.path.stat().st_size

    @property
    def rules(self) -> int:
        """Its number of rules."""
        return RULES_PER_DUMP + RULES_PER_SERVICE * self.services


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one run of each, and no dump of 320,000 rules")
    parser.add_argument("--services", type=int, nargs="+", help="services a dump, 32 rules each (100 1000 10000)")
    parser.add_argument("--runs", type=int, help="runs of which the median counts (3)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="the parts to measure (all)")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    arguments = parser.parse_args()
    runs = arguments.runs or (1 if arguments.quick else 3)
    sizes = arguments.services or (SIZES[:-1] if arguments.quick else SIZES)
    # Run elsewhere: here `audit` would read this project's configuration.
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        # Compile modules only once, as in an installation.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "compiled")
        parts: dict[str, Callable[[], Iterable[Table]]] = {
            "start": partial(_start, runs),
            "sizes": partial(_sizes, Path(folder), sizes, runs),
            "worst": partial(_worst_cases, Path(folder)),
        }
        print(_heading(runs))
        for part in PARTS:
            for table in parts[part]() if part in arguments.only else ():
                print("\n".join(table.markdown() if arguments.markdown else table.text()), flush=True)


def _heading(runs: int) -> str:
    how = "one run" if runs == 1 else f"medians of {runs} runs"
    return f"{datetime.date.today():%d %B %Y}, Python {sys.version.split()[0]}, {os.cpu_count()} cores, {how}; goals in parentheses"


def _start(runs: int) -> Iterator[Table]:
    commands: dict[str, Sequence[str]] = {_REFERENCE: (sys.executable, "-c", _REFERENCE)}
    for command in START:
        commands[command] = (*PROGRAM, command, *(() if command == "rules" else (str(FRAGMENT),)))
    medians(commands, 1)  # compiles the modules
    costs = _measured("start", commands, 5 * runs)
    table = Table("A fragment of a dozen rules", ("command", "CPU", f"x {_REFERENCE}"))
    for name, found in costs.items():
        table.rows.append((name, _seconds(found), beside_goal(found.cpu / costs[_REFERENCE].cpu, START.get(name))))
    yield table


def _sizes(folder: Path, sizes: Sequence[int], runs: int) -> Iterator[Table]:
    measured: list[tuple[Dump, Mapping[str, Cost]]] = []
    for count in sizes:
        dump = _generate(folder, count)
        costs = _measured(f"{count:,} services", _commands(dump), runs)
        measured.append((dump, costs))
        yield _of_size(dump, costs)
    if len(measured) > 1:
        yield _growth(*measured[-2:])


def _generate(folder: Path, count: int) -> Dump:
    """Generate in a separate process, since this one must stay small."""
    dump = Dump(folder / f"{count}.txt", folder / f"{count}-other.txt", count)
    for path, endpoints in ((dump.path, ENDPOINTS), (dump.other, ENDPOINTS - 1)):
        with path.open("wb") as file:
            subprocess.run([sys.executable, "-m", "tests.bench.generator", str(count), str(endpoints)], stdout=file, check=True)
    return dump


def _commands(dump: Dump) -> dict[str, Sequence[str]]:
    """The commands to measure, by printed name; the yardsticks first."""
    target = services(dump.services // 2 + 1, ENDPOINTS)[-1]
    path = str(dump.path)
    packet = ("--from", "10.128.0.1", "--to", f"{target.vip}:{target.port}")
    commands: dict[str, Sequence[str]] = {
        SPLITTER: (sys.executable, "-m", "tests.bench.splitter", path),
        "read": (sys.executable, "-c", _READ, path),
        "explain": (*PROGRAM, "explain", path),
        "explain -o table": (*PROGRAM, "explain", "-o", "table", path),
        "explain -o json": (*PROGRAM, "explain", "-o", "json", path),
        "explain --service NAME": (*PROGRAM, "explain", "--service", target.name, path),
        "audit": (*PROGRAM, "audit", path),
        "audit -o json": (*PROGRAM, "audit", "-o", "json", path),
        "trace": (*PROGRAM, "trace", *packet, path),
        "show CHAIN": (*PROGRAM, "show", target.chain, path),
        "graph": (*PROGRAM, "graph", path),
        "compare A A": (*PROGRAM, "compare", path, path),
        "compare A B": (*PROGRAM, "compare", path, str(dump.other)),
    }
    tool = shutil.which("iptables-legacy-restore", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    unshare = shutil.which("unshare")
    if tool is not None and unshare is not None and os.geteuid() == 0:
        # In a separate network namespace, so that it creates no table here.
        commands = {RESTORE: (unshare, "-n", tool, "--test", path), **commands}
    return commands


def _of_size(dump: Dump, costs: Mapping[str, Cost]) -> Table:
    title = f"{dump.services:,} Services of {ENDPOINTS} endpoints: {dump.rules:,} rules, {dump.size / 1e6:.1f} MB"
    table = Table(title, ("command", "CPU", "x restore", "x splitter", "memory", "x file"))
    restore, splitter = costs.get(RESTORE), costs[SPLITTER]
    for name, found in costs.items():
        goal = GOALS.get(name, {}).get(dump.services, Goal())
        against = "-" if restore is None else beside_goal(found.cpu / restore.cpu, goal.restore)
        linear = f"{found.cpu / splitter.cpu:.2f}"
        memory = beside_goal(found.memory / dump.size, goal.memory)
        table.rows.append((name, _seconds(found), against, linear, f"{found.memory / 1e6:.0f} MB", memory))
    return table


def _growth(small: tuple[Dump, Mapping[str, Cost]], large: tuple[Dump, Mapping[str, Cost]]) -> Table:
    title = f"Cost of a rule of {large[0].rules:,}, in times of one of {small[0].rules:,}"
    table = Table(title, ("command", "growth"))
    for name, found in large[1].items():
        growth = found.cpu / large[0].rules / (small[1][name].cpu / small[0].rules)
        table.rows.append((name, beside_goal(growth, None if name == RESTORE else GROWTH)))
    return table


def _worst_cases(folder: Path) -> Iterator[Table]:
    commands = {
        "explain": ("explain", "-o", "json"),
        "audit": ("audit",),
        "trace": ("trace", "--from", "10.0.0.1", "--to", "10.96.0.1:80"),
        "show": ("show", "[PI][RN]*"),  # PREROUTING or INPUT, whichever there is
        "graph": ("graph",),
        "compare": ("compare", "-o", "json"),
    }
    table = Table("Worst cases: CPU and memory (! no answer)", ("input", *commands))
    for case, lines in WORST_CASES.items():
        path = folder / "worst.txt"
        with path.open("w") as file:
            file.writelines(lines())
        words = {name: (*PROGRAM, *words, *[str(path)] * (2 if name == "compare" else 1)) for name, words in commands.items()}
        costs = _measured(case, words, 1)
        table.rows.append((case, *(_worst(case, name, found) for name, found in costs.items())))
    yield table


def _worst(case: str, command: str, found: Cost) -> str:
    goal = WORST.get((case, command))
    beside = "" if goal is None else f" ({goal:g}{'' if found.cpu <= goal else ', missed'})"
    return f"{_seconds(found)}{beside}, {found.memory / 1e6:.0f} MB"


def _measured(what: str, commands: Mapping[str, Sequence[str]], runs: int) -> dict[str, Cost]:
    """The median costs. Prints progress to standard error, since this takes long."""
    print(f"measuring {what}: {len(commands)} commands, {runs} runs of each", file=sys.stderr, flush=True)
    return medians(commands, runs)


def _seconds(found: Cost) -> str:
    """Seconds; a refusal with a clear message counts as an answer, too."""
    answered = found.ok or (found.status == 2 and "internal error" not in found.errors)
    return f"{found.cpu:.2f} s" + ("" if found.ok else " refused" if answered else " !")


if __name__ == "__main__":
    main()
