"""Standard streams: data to standard output, everything else to standard error; colour and links, by the conventions of
terminals and CI services."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TextIO

from ipt_explain import progress
from ipt_explain.errors import UsageError

DEFAULT_WIDTH = 80

_BATCH_SIZE = 1 << 16

# Replacements for streams whose encoding lacks our signs: one column for one, so that lines stay aligned.
_IN_ASCII = str.maketrans({"├": "+", "└": "+", "│": "|", "─": "-", "·": "-", "→": ">", "…": "~", "✓": "+", "✗": "x"})


def prepare_streams() -> None:
    """Make every character printable: those that a stream's encoding lacks become backslash escapes."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def write(chunks: Iterable[str], annotations: bool = False) -> None:
    """Write data to standard output, through a pager if it overflows the terminal. Once the reader has gone
    (`| head`), the rest is silently dropped.

    Commands that a CI system would obey are defused, except in our own `annotations`. Raises UsageError if the output
    cannot be written, as on a full disk.
    """
    from ipt_explain.render.text.ci_commands import Disarmer

    if sys.stdout is None:
        raise UsageError("cannot write the output: standard output is closed")
    disarmer = Disarmer(annotations)
    try:
        texts: Iterable[str] = map(disarmer.disarm, _in_batches(chunks))
        if _lacks_signs(sys.stdout):
            texts = (text.translate(_IN_ASCII) for text in texts)
        if is_terminal(sys.stdout):
            from ipt_explain.cli.shared.pager import paged

            texts = paged(texts, sys.stdout)
        for text in texts:
            progress.hide()
            sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
    except OSError as error:
        discard_output()
        raise UsageError(f"cannot write the output: {error.strerror}") from None


def _in_batches(chunks: Iterable[str]) -> Iterator[str]:
    """The same text in pieces large enough for a write each, even to an unbuffered stream: whole lines, or whole array
    members if the text is JSON on one line."""
    batch: list[str] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        end = chunk.rfind("\n") + 1 if size >= _BATCH_SIZE else 0
        if not end and (size < _BATCH_SIZE or not chunk.startswith(", ")):
            batch.append(chunk)
            continue
        batch.append(chunk[:end])
        yield "".join(batch)
        batch = [chunk[end:]]
        size = len(batch[0])
    yield "".join(batch)


def finish() -> None:
    """Flush the output that click itself printed."""
    write(())


def warn(messages: Iterable[str]) -> None:
    """Print warnings to standard error, one per line."""
    from ipt_explain.render.text.safe import escape

    complain("\n".join(f"warning: {escape(message)}" for message in dict.fromkeys(messages)))


def note(notes: Iterable[str]) -> None:
    """Print notes to standard error, one per line."""
    from ipt_explain.render.text.safe import escape

    complain("\n".join(f"note: {escape(each)}" for each in notes))


def complain(text: str) -> None:
    """Print text to standard error, unless that is closed."""
    if text and sys.stderr is not None:
        from ipt_explain.render.text.ci_commands import disarmed

        progress.hide()
        text = disarmed(text)
        with suppress(OSError, ValueError):
            print(in_signs_of(sys.stderr, text), file=sys.stderr, flush=True)


def in_signs_of(stream: TextIO, text: str) -> str:
    """A text with ASCII in place of signs that a stream's encoding lacks."""
    return text.translate(_IN_ASCII) if _lacks_signs(stream) else text


def _lacks_signs(stream: TextIO) -> bool:
    try:
        "├└│─·→…✓✗".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False


def terminal_width(stream: TextIO) -> int:
    """The columns of a stream's terminal: $COLUMNS if that is set, 80 if there is no terminal."""
    columns = os.environ.get("COLUMNS", "")
    if len(columns) <= 4 and columns.isascii() and columns.isdigit() and int(columns) > 0:
        return int(columns)
    if is_terminal(stream):
        with suppress(OSError, ValueError):
            return os.get_terminal_size(stream.fileno()).columns or DEFAULT_WIDTH
    return DEFAULT_WIDTH


def is_terminal(stream: TextIO) -> bool:
    """Whether a stream is a terminal; False if it is closed or replaced."""
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def discard_output() -> None:
    """Redirect standard output to the null device, so that the flush at exit does not meet a broken pipe."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


# Terminals with OSC 8 links, by the variables they set; see https://github.com/Alhadis/OSC8-Adoption.
_LINKING_PROGRAMS = frozenset({"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "mintty", "Tabby", "rio"})
_LINKING_TERMS = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "contour", "wezterm")
_LINKING_VARIABLES = ("WT_SESSION", "KONSOLE_VERSION", "DOMTERM", "KITTY_WINDOW_ID", "WEZTERM_PANE")
_FIRST_LINKING_VTE = 5000


def wants_color(stream: TextIO) -> bool:
    """Whether to colour text on a stream by default.

    NO_COLOR forbids it (no-color.org); FORCE_COLOR and CLICOLOR_FORCE turn it on in a pipe, too, as for CI logs;
    CLICOLOR=0 and TERM=dumb turn it off on a terminal.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return is_terminal(stream) and os.environ.get("CLICOLOR") != "0" and os.environ.get("TERM") != "dumb"


def shows_links(stream: TextIO) -> bool:
    """Whether a stream's terminal is known to support OSC 8 links; FORCE_HYPERLINK overrides (0: no)."""
    forced = os.environ.get("FORCE_HYPERLINK")
    if forced:
        return forced != "0"
    if not is_terminal(stream) or os.environ.get("TERM") == "dumb" or os.environ.get("CI"):
        return False
    vte = os.environ.get("VTE_VERSION", "")
    return (
        os.environ.get("TERM_PROGRAM") in _LINKING_PROGRAMS
        or os.environ.get("TERM", "").startswith(_LINKING_TERMS)
        or any(os.environ.get(name) for name in _LINKING_VARIABLES)
        or (re.fullmatch(r"[0-9]{1,9}", vte) is not None and int(vte) >= _FIRST_LINKING_VTE)
    )
