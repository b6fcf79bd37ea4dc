"""Measuring a command: CPU time and memory of it and its children, as counted by the kernel."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TIMEOUT_SECONDS = 300.0


@dataclass(frozen=True)
class Cost:
    """`cpu` is user and system time in seconds, `memory` the peak resident set in bytes; `status` is None after a timeout."""

    cpu: float
    memory: int
    status: int | None
    errors: str

    @property
    def ok(self) -> bool:
        """Whether the command answered: done, or done with findings."""
        return self.status in (0, 1) and "Traceback" not in self.errors


def cost(command: Sequence[str], timeout: float = TIMEOUT_SECONDS) -> Cost:
    """Run a command once and discard its output. This process must stay small: a child's peak starts at its parent's size."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True
        )
        deadline = time.monotonic() + timeout
        timed_out = False
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if not timed_out and time.monotonic() > deadline:
                timed_out = True
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.005)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read(4000).decode("utf-8", "replace")
    return Cost(
        usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, None if timed_out else process.returncode, said
    )


def medians(commands: Mapping[str, Sequence[str]], runs: int) -> dict[str, Cost]:
    """The median cost of each command. They run in turn, so that other load on the machine affects all of them."""
    found: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            found[name].append(cost(command))
    return {name: _median(costs) for name, costs in found.items()}


def _median(costs: Sequence[Cost]) -> Cost:
    worst = next((each for each in costs if not each.ok), costs[-1])
    cpu, memory = (each.cpu for each in costs), (each.memory for each in costs)
    return Cost(statistics.median(cpu), int(statistics.median(memory)), worst.status, worst.errors)
