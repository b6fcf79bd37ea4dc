"""Running the program as users do: as a process with arguments and standard input."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"


@dataclass(frozen=True)
class Result:
    """The result of a run."""

    status: int
    out: str
    err: str


def run(*arguments: str | Path, stdin: str | bytes | None = None, **environment: str) -> Result:
    """Run `ipt-explain` with these arguments; without `stdin`, standard input is empty and not a pipe."""
    done = subprocess.run(
        [sys.executable, "-m", "ipt_explain", *map(str, arguments)],
        input=stdin.encode("utf-8", "surrogateescape") if isinstance(stdin, str) else stdin,
        stdin=None if stdin is not None else subprocess.DEVNULL,
        capture_output=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        timeout=120,
    )
    return Result(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))
