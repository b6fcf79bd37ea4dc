"""Progress on a terminal, for work that takes more than a second: its stage, below the output's first lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

from ipt_explain import progress
from ipt_explain.cli.shared.stdio import in_signs_of, is_terminal, terminal_width

FIRST, NEXT = 1.0, 0.2
"""Seconds until the progress appears, and between updates."""


def show_progress() -> None:
    """Show progress on standard error, if that is a terminal, until the first output."""
    if sys.stderr is None or not is_terminal(sys.stderr) or os.environ.get("TERM") == "dumb":
        return
    import signal

    if not hasattr(signal, "setitimer"):  # Windows
        return
    display = _Display(sys.stderr, terminal_width(sys.stderr) - 1)

    def hide() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        display.erase()

    with suppress(ValueError):  # not in the main thread: another program runs ours
        signal.signal(signal.SIGALRM, lambda *_: display.refresh())
        signal.setitimer(signal.ITIMER_REAL, FIRST, NEXT)
        progress.shown(hide)


def show_first_lines(lines: Sequence[str], width: int) -> None:
    """Show the output's first lines, of at most `width` columns, above the progress, if they fit on the terminal."""
    try:
        columns, rows = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):
        return
    if width <= columns and len(lines) < rows:
        progress.know(lines)


class _Display:
    """The output's first lines and, on the terminal's current line, the stage. Written without Python's buffers: a
    signal may interrupt them."""

    def __init__(self, stream: TextIO, width: int) -> None:
        self._stream = stream
        self._width = width
        self._above = 0
        self._busy = False
        self._text = ""

    def refresh(self) -> None:
        """Show what is known, and the current stage. Does nothing if it interrupts itself."""
        if self._busy:
            return
        self._busy = True
        lines = progress.known()
        if lines and not self._above:
            self._show("")
            self._write("".join(f"{line}\n" for line in lines))
            self._above = len(lines)
        stage = progress.now()
        if stage is not None:
            self._show(f"{stage.text} …")
        self._busy = False

    def erase(self) -> None:
        """Erase all that is shown."""
        self._show("")
        if self._above:
            # Line by line: to erase the whole screen makes some terminals keep its text above.
            back = f"\x1b[{self._above}A"
            self._write(back + "\x1b[K\n" * self._above + back)

    def _show(self, text: str) -> None:
        """Replace the current line's text; "" erases it."""
        text = text[: self._width]
        if text != self._text:
            blanks = " " * (len(self._text) - len(text))
            back = "" if text else "\r"
            self._text = text
            self._write(f"\r{text}{blanks}{back}")

    def _write(self, text: str) -> None:
        encoded = in_signs_of(self._stream, text).encode(self._stream.encoding, "backslashreplace")
        with suppress(OSError):
            os.write(self._stream.fileno(), encoded)
