"""Long output on a terminal goes through a pager, as git's does."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import TextIO

from ipt_explain import progress
from ipt_explain.inputs.tools import find_tool

VARIABLE = "IPT_EXPLAIN_PAGER"

_DEFAULT = "less"
# Git's defaults: quit if all fits on one screen, show colours, keep the screen.
_FOR_LESS = {"LESS": "FRX", "LV": "-c"}


def pager_command() -> list[str]:
    """The pager's command line: $IPT_EXPLAIN_PAGER, else $PAGER, else less. Empty for none, or for `cat`."""
    chosen = next((os.environ[name] for name in (VARIABLE, "PAGER") if name in os.environ), _DEFAULT)
    try:
        words = shlex.split(chosen)
    except ValueError:
        return []
    program = find_tool(words[0]) if words and words != ["cat"] else None
    return [] if program is None else [program, *words[1:]]


def without_pager() -> None:
    """Turn the pager off."""
    os.environ[VARIABLE] = ""


def paged(pieces: Iterable[str], stream: TextIO) -> Iterator[str]:
    """Show text through the pager if it has more rows than the terminal of `stream`, and yield nothing; yield shorter
    text unchanged."""
    try:
        columns, rows = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        yield from pieces
        return
    command = pager_command() if rows and os.environ.get("TERM") != "dumb" else []
    rest = iter(pieces)
    read: list[str] = []
    taken = 0
    for piece in rest if command else ():
        read.append(piece)
        taken += sum(1 + max(len(line) - 1, 0) // max(columns, 1) for line in piece.removesuffix("\n").split("\n"))
        if taken >= rows:
            if _show(command, chain(read, rest), stream):
                return
            break
    yield from chain(read, rest)


def _show(command: list[str], pieces: Iterator[str], stream: TextIO) -> bool:
    """Feed a pager until it or the text ends. Returns whether it could be started; if not, `pieces` are untouched."""
    import subprocess

    progress.hide()
    try:
        pager = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            encoding=stream.encoding,
            errors="backslashreplace",
            env={**_FOR_LESS, **os.environ},
        )
    except OSError:
        return False
    try:
        # A broken pipe means that the user has quit. The pager handles interrupts itself and keeps running.
        with suppress(BrokenPipeError, KeyboardInterrupt):
            for piece in pieces:
                pager.stdin.write(piece)  # type: ignore[union-attr]
    finally:
        with suppress(BrokenPipeError, KeyboardInterrupt):
            pager.stdin.close()  # type: ignore[union-attr]
        while True:
            with suppress(KeyboardInterrupt):
                pager.wait()
                break
    return True
