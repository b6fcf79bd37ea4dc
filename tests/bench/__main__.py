"""Measure, in one run on one machine, and print each figure with its goal.

    python -m tests.bench                      all of it: 3,200, 32,000 and 320,000 rules, some fifteen minutes
    python -m tests.bench --quick              one run of each instead of three, without 320,000 rules: two minutes
    python -m tests.bench --services 1000      one size
    python -m tests.bench --only start worst   some parts: sizes, start, worst
    python -m tests.bench --markdown           and at the end what the README says of the figures

Every figure is CPU time (user and system) of a process and its children, the median of runs that alternate with the
yardsticks. Seconds differ between machines; ratios differ less. There are two yardsticks: `iptables-legacy-restore --test`,
which reads and checks the same dump and whose cost grows faster than the dump; and `tests.bench.splitter`, which splits it
into words in linear time.
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench import dumps, readme
from tests.bench.dumps import PROGRAM, RESTORE, RULES_PER_SERVICE, SPLITTER, Dump
from tests.bench.goals import GOALS, GROWTH, MIXED, SIZES, START, WORST, Goal
from tests.bench.measure import Cost, medians
from tests.bench.readme import Measured
from tests.bench.tables import Table, beside_goal
from tests.bench.worst_cases import WORST_CASES

ROOT = Path(__file__).parents[2]
FRAGMENT = ROOT / "samples" / "fragment-2-three-pods.txt"
PARTS = ("start", "sizes", "worst")
_REFERENCE = "import click, rich"


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one run of each, and no dump of 320,000 rules")
    parser.add_argument("--services", type=int, nargs="+", help="services a dump, 32 rules each (100 1000 10000)")
    parser.add_argument("--runs", type=int, help="runs of which the median counts (3)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="the parts to measure (all)")
    parser.add_argument("--markdown", action="store_true", help="print the README's paragraph and table at the end")
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
        print(_heading(runs))
        start = _start(runs) if "start" in arguments.only else {}
        even, mixed = _sizes(Path(folder), sizes, runs) if "sizes" in arguments.only else ([], [])
        if "worst" in arguments.only:
            _worst_cases(Path(folder))
    if arguments.markdown:
        print("", readme.paragraph(runs, start, _REFERENCE), "", *readme.table(even, mixed), sep="\n")


def _heading(runs: int) -> str:
    how = "one run" if runs == 1 else f"medians of {runs} runs"
    return f"{datetime.date.today():%d %B %Y}, Python {sys.version.split()[0]}, {os.cpu_count()} cores, {how}; goals in parentheses"


def _start(runs: int) -> Mapping[str, Cost]:
    commands: dict[str, Sequence[str]] = {_REFERENCE: (sys.executable, "-c", _REFERENCE)}
    for command in START:
        commands[command] = (*PROGRAM, command, *(() if command == "rules" else (str(FRAGMENT),)))
    medians(commands, 1)  # compiles the modules
    costs = _measured("start", commands, 5 * runs)
    table = Table("A fragment of a dozen rules", ("command", "CPU", f"x {_REFERENCE}"))
    for name, found in costs.items():
        table.rows.append((name, _seconds(found), beside_goal(found.cpu / costs[_REFERENCE].cpu, START.get(name))))
    table.show()
    return costs


def _sizes(folder: Path, sizes: Sequence[int], runs: int) -> tuple[list[Measured], list[Measured]]:
    even, mixed = [], []
    for count in sizes:
        even.append(_of_size(dumps.even(folder, count), runs))
        if count * RULES_PER_SERVICE >= MIXED:
            mixed.append(_of_size(dumps.mixed(folder, count * RULES_PER_SERVICE), runs))
    for measured in (even, mixed):
        if len(measured) > 1:
            _growth(*measured[-2:])
    return even, mixed


def _of_size(dump: Dump, runs: int) -> Measured:
    costs = _measured(dump.title, dump.commands, runs)
    table = Table(f"{dump.title}, {dump.size / 1e6:.1f} MB", ("command", "CPU", "x restore", "x splitter", "memory", "x file"))
    restore, splitter = costs.get(RESTORE), costs[SPLITTER]
    for name, found in costs.items():
        goal = GOALS.get(name, {}).get(dump.scale, Goal())
        against = "-" if restore is None else beside_goal(found.cpu / restore.cpu, goal.restore)
        linear = f"{found.cpu / splitter.cpu:.2f}"
        memory = beside_goal(found.memory / dump.size, goal.memory)
        table.rows.append((name, _seconds(found), against, linear, f"{found.memory / 1e6:.0f} MB", memory))
    table.show()
    return dump, costs


def _growth(small: Measured, large: Measured) -> None:
    table = Table(f"{large[0].title}: the cost of each, in times of one of {small[0].rules:,}", ("command", "growth"))
    for name, found in large[1].items():
        growth = found.cpu / large[0].rules / (small[1][name].cpu / small[0].rules)
        table.rows.append((name, beside_goal(growth, None if name == RESTORE else GROWTH)))
    table.show()


def _worst_cases(folder: Path) -> None:
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
    table.show()


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
