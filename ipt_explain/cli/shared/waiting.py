"""Progress on a terminal, for work that takes more than a second."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from ipt_explain import progress
from ipt_explain.cli.shared.stdio import is_terminal, terminal_width

FIRST, NEXT = 1.0, 0.2
"""Seconds until the progress appears, and between updates."""


def show_progress() -> None:
    """Show progress on standard error, if that is a terminal, until the first output."""
    if sys.stderr is None or not is_terminal(sys.stderr) or os.environ.get("TERM") == "dumb":
        return
    import signal

    if not hasattr(signal, "setitimer"):  # Windows
        return
    line = _Line(sys.stderr.fileno(), terminal_width(sys.stderr) - 1)

    def hide() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        line.show("")

    with suppress(ValueError):  # not in the main thread: another program runs ours
        signal.signal(signal.SIGALRM, lambda *_: line.show_stage())
        signal.setitimer(signal.ITIMER_REAL, FIRST, NEXT)
        progress.shown(hide)


class _Line:
    """The terminal's current line, written without Python's buffers: a signal may interrupt them."""

    def __init__(self, descriptor: int, width: int) -> None:
        self._descriptor = descriptor
        self._width = width
        self._text = ""

    def show_stage(self) -> None:
        """Show the current stage."""
        stage = progress.now()
        if stage is not None:
            self.show(f"{stage.text} …")

    def show(self, text: str) -> None:
        """Replace the line's text; "" erases it."""
        text = text[: self._width]
        if text != self._text:
            blanks = " " * (len(self._text) - len(text))
            back = "" if text else "\r"
            self._text = text
            with suppress(OSError):
                os.write(self._descriptor, f"\r{text}{blanks}{back}".encode())
