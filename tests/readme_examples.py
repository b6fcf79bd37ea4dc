"""The README's examples, which are real output. `python -m tests.readme_examples` updates them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"

_EXAMPLE = re.compile(r"(<!-- example:begin ([^\n]*) -->\n```\n)(.*?)(```\n<!-- example:end -->\n)", re.DOTALL)


def with_fresh_examples(text: str) -> str:
    """The README's text with current output in every example."""
    return _EXAMPLE.sub(lambda found: found[1] + output(found[2]) + found[4], text)


def commands(text: str) -> list[str]:
    """The command lines of the examples."""
    return [found[2] for found in _EXAMPLE.finditer(text)]


def output(command: str) -> str:
    """The output of `ipt-explain COMMAND` into a pipe, 100 columns wide."""
    done = subprocess.run(
        [sys.executable, "-m", "ipt_explain", *shlex.split(command), "--width", "100"],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    if done.returncode == 2:
        raise RuntimeError(done.stderr)
    return "".join(line.rstrip() + "\n" for line in done.stdout.splitlines())


if __name__ == "__main__":
    README.write_text(with_fresh_examples(README.read_text(encoding="utf-8")), encoding="utf-8")
