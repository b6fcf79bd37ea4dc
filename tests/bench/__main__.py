"""Measure, in one run on one machine, and print ratios.

    python -m tests.bench                     the whole run: 320,000 rules, some minutes
    python -m tests.bench --services 1000     smaller dumps, the same ratios

Seconds differ from machine to machine; what a dump costs against what `iptables-legacy-restore --test` takes for the same
dump differs less. Every figure is CPU time (user and system) of the process and its children.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.generator import RULES_PER_DUMP, Service, services
from tests.bench.measure import Cost, cheapest, cost
from tests.bench.worst_cases import WORST_CASES

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "ipt_explain")
FRAGMENT = ROOT / "samples" / "fragment-2-three-pods.txt"
ENDPOINTS = 10
RULES_PER_SERVICE = 2 + 3 * ENDPOINTS


@dataclass(frozen=True)
class Dump:
    """A generated dump on disk."""

    path: Path
    rules: int

    @property
    def size(self) -> int:
        """In bytes."""
        return self.path.stat().st_size


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--services", type=int, default=10_000, help="services of the big dump, 32 rules each (10,000)")
    parser.add_argument("--runs", type=int, default=3, help="runs of which the cheapest counts (3)")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        big = _generate(Path(folder) / "big.txt", arguments.services)
        small = _generate(Path(folder) / "small.txt", max(1, arguments.services // 10))
        target = services(arguments.services // 2 + 1, ENDPOINTS)[-1]
        big_costs = _report_big(big, target, arguments.runs)
        _report_growth(small, big, target, big_costs, arguments.runs)
        _report_start(arguments.runs)
        _report_worst_cases(Path(folder))


def _generate(path: Path, count: int) -> Dump:
    """In a process of its own, as this one must stay small."""
    with path.open("wb") as file:
        subprocess.run([sys.executable, "-m", "tests.bench.generator", str(count), str(ENDPOINTS)], stdout=file, check=True)
    with path.open("rb") as file:
        rules = sum(line.startswith(b"-A ") for line in file)
    expected = RULES_PER_DUMP + RULES_PER_SERVICE * count
    if rules != expected:
        sys.exit(f"the generator wrote {rules:,} rules instead of {expected:,}")
    print(f"{path.name}: {count:,} services x {ENDPOINTS} endpoints, {rules:,} rules, {path.stat().st_size / 1e6:.1f} MB")
    return Dump(path, rules)


def _commands(target: Service) -> dict[str, tuple[str, ...]]:
    """What is measured, by the name it is printed with."""
    return {
        "explain -o json": ("explain", "-o", "json"),
        "audit -o json": ("audit", "-o", "json"),
        "trace -o json": ("trace", "--from", "10.128.0.1", "--to", f"{target.vip}:{target.port}", "-o", "json"),
        "explain --service": ("explain", "--service", target.name, "-o", "json"),
    }


def _is_absent(command: str) -> bool:
    return cost([*PROGRAM, command, "--help"]).status != 0


def _report_big(big: Dump, target: Service, runs: int) -> Mapping[str, Cost]:
    yardstick = _restore_test(big, runs)
    reference = f"{yardstick.cpu:.2f} s" if yardstick else "absent"
    print(f"\niptables-legacy-restore --test: {reference}\n")
    _row("big dump", "CPU", "x restore", "bound", "memory / file", "bound")
    costs: dict[str, Cost] = {}
    for name, words in _commands(target).items():
        if _is_absent(words[0]):
            _row(name, "absent")
            continue
        found = costs[name] = cheapest([*PROGRAM, *words, str(big.path)], runs)
        ratio = f"{found.cpu / yardstick.cpu:.2f}" if yardstick else "-"
        memory = f"{found.memory / big.size:.1f}"
        _row(name, _seconds(found), ratio, "< 1" if name in ("explain -o json", "audit -o json") else "", memory, "<= 16")
    one, all_ = costs.get("explain --service"), costs.get("explain -o json")
    if one and all_:
        print(f"\none service against all: {one.cpu / all_.cpu:.2f} (bound: 0.5)")
    return costs


def _restore_test(dump: Dump, runs: int) -> Cost | None:
    """What iptables takes to read the dump and check it; in a network namespace of its own, so that no table is made here."""
    tool = shutil.which("iptables-legacy-restore", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    unshare = shutil.which("unshare")
    if tool is None or unshare is None or os.geteuid() != 0:
        return None
    found = cheapest([unshare, "-n", tool, "--test", str(dump.path)], runs)
    if found.status != 0:
        sys.exit(f"iptables-legacy-restore refuses the generated dump: {found.errors}")
    return found


def _report_growth(small: Dump, big: Dump, target: Service, big_costs: Mapping[str, Cost], runs: int) -> None:
    print(f"\ncost per rule, {big.rules:,} rules against {small.rules:,} (bound: 1.2)")
    for name, found in big_costs.items():
        if name != "explain --service":
            less = cheapest([*PROGRAM, *_commands(target)[name], str(small.path)], runs)
            _row(name, f"{(found.cpu / big.rules) / (less.cpu / small.rules):.2f}")


def _report_start(runs: int) -> None:
    reference = cheapest([sys.executable, "-c", "import click, rich"], 2 * runs + 1)
    print(f"\nstart: {FRAGMENT.name} against `import click, rich` ({reference.cpu:.3f} s; bound: 3.5)")
    for command in ("explain", "audit"):
        if _is_absent(command):
            _row(command, "absent")
            continue
        found = cheapest([*PROGRAM, command, str(FRAGMENT)], 2 * runs + 1)
        _row(command, f"{found.cpu / reference.cpu:.2f}")


def _report_worst_cases(folder: Path) -> None:
    print("\nworst cases, CPU seconds (! no answer)")
    commands = {
        "explain": ("explain", "-o", "json"),
        "audit": ("audit", "-o", "json"),
        "trace": ("trace", "--from", "10.0.0.1", "--to", "10.96.0.1:80", "-o", "json"),
        "show": ("show", "PREROUTING", "-o", "json"),
        "graph": ("graph", "-o", "json"),
        "compare": ("compare", "-o", "json"),
    }
    present = [name for name in commands if not _is_absent(name)]
    _row("", *present)
    for name, lines in WORST_CASES.items():
        path = folder / "worst.txt"
        with path.open("w") as file:
            file.writelines(lines())
        cells = []
        for command in present:
            files = [str(path)] * (2 if command == "compare" else 1)
            cells.append(_seconds(cost([*PROGRAM, *commands[command], *files])))
        _row(name, *cells)
    if absent := sorted(commands.keys() - set(present)):
        print("absent: " + ", ".join(absent))


def _seconds(found: Cost) -> str:
    """A refusal with a clear message is an answer, too."""
    answered = found.ok or (found.status == 2 and "internal error" not in found.errors)
    return f"{found.cpu:.2f} s" + ("" if found.ok else " refused" if answered else " !")


def _row(name: str, *cells: str) -> None:
    print(f"{name:32}" + "".join(f"{cell:>15}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
