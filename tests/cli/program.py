"""Running the program as users do: as a process with arguments and standard input."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ipt_explain.cli.main import run as run_in_process

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


def run_here(*arguments: str | Path, stdin: str | bytes | None = None) -> Result:
    """What `run` gives, without a process of its own: much faster, for tests of what is printed and not of how the
    program begins, ends and is piped."""
    given = stdin.encode("utf-8", "surrogateescape") if isinstance(stdin, str) else stdin or b""
    streams = [io.TextIOWrapper(io.BytesIO(content), "utf-8", newline="\n") for content in (given, b"", b"")]
    before, directory = (sys.stdin, sys.stdout, sys.stderr), Path.cwd()
    try:
        sys.stdin, sys.stdout, sys.stderr = streams
        os.chdir(ROOT)
        status = run_in_process(list(map(str, arguments)))
    finally:
        os.chdir(directory)
        sys.stdin, sys.stdout, sys.stderr = before
    out, err = (_written(stream) for stream in streams[1:])
    return Result(status, out, err)


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    content = stream.buffer
    assert isinstance(content, io.BytesIO)
    return content.getvalue().decode("utf-8")
