"""Standard streams: data on one, everything else on the other, and no trouble from either."""

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

# Our own signs, for streams whose encoding lacks them: one column for one, so that lines stay as wide.
_IN_ASCII = str.maketrans({"├": "+", "└": "+", "│": "|", "─": "-", "·": "-", "→": ">", "…": "~", "✓": "+", "✗": "x"})


def prepare_streams() -> None:
    """Let no character fail to print: what a stream's encoding lacks is shown as a backslash escape."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def write(chunks: Iterable[str], annotations: bool = False) -> None:
    """Write data to standard output; on a terminal that it overflows, through a pager. Once the reader has gone
    (`| head`), the rest is dropped without a word.

    A CI system obeys none of it, unless it is told to by `annotations` of ours. Raises UsageError where the output
    cannot be written, as on a full disk.
    """
    from ipt_explain.render.runners import Disarmer

    progress.hide()
    if sys.stdout is None:
        raise UsageError("cannot write the output: standard output is closed")
    plain = _lacks_signs(sys.stdout)
    disarmer = Disarmer(annotations)
    try:
        texts: Iterable[str] = map(disarmer.disarm, _in_batches(chunks))
        if plain:
            texts = (text.translate(_IN_ASCII) for text in texts)
        if is_terminal(sys.stdout):
            from ipt_explain.cli.shared.pager import paged

            texts = paged(texts, sys.stdout)
        for text in texts:
            sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
    except OSError as error:
        discard_output()
        raise UsageError(f"cannot write the output: {error.strerror}") from None


def _in_batches(chunks: Iterable[str]) -> Iterator[str]:
    """The same text in pieces that are worth a write each, be the stream buffered or not: of whole lines, or, where all
    of JSON is one, of whole members of its arrays.
    """
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
    """Flush what click itself has printed."""
    write(())


def warn(messages: Iterable[str]) -> None:
    """Print warnings, one a line, to standard error."""
    from ipt_explain.render.text.safe import escape

    complain("\n".join(f"warning: {escape(message)}" for message in dict.fromkeys(messages)))


def tell(notes: Iterable[str]) -> None:
    """Print notes, one a line, to standard error."""
    from ipt_explain.render.text.safe import escape

    complain("\n".join(f"note: {escape(note)}" for note in notes))


def complain(text: str) -> None:
    """Print text to standard error; if that is closed, there is nobody to tell."""
    if text and sys.stderr is not None:
        from ipt_explain.render.runners import disarmed

        progress.hide()
        text = disarmed(text)
        with suppress(OSError, ValueError):
            print(text.translate(_IN_ASCII) if _lacks_signs(sys.stderr) else text, file=sys.stderr, flush=True)


def _lacks_signs(stream: TextIO) -> bool:
    try:
        "├└│─·→…✓✗".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False


def terminal_width(stream: TextIO) -> int:
    """The columns of the terminal behind a stream; $COLUMNS if that is set, else 80 where there is no terminal."""
    columns = os.environ.get("COLUMNS", "")
    if re.fullmatch("[0-9]{1,4}", columns) and int(columns) > 0:
        return int(columns)
    if is_terminal(stream):
        with suppress(OSError, ValueError):
            return os.get_terminal_size(stream.fileno()).columns or DEFAULT_WIDTH
    return DEFAULT_WIDTH


def is_terminal(stream: TextIO) -> bool:
    """Whether a person looks at a stream; no for one that is closed or replaced."""
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def discard_output() -> None:
    """Point standard output nowhere, so that the flush at exit finds no broken pipe either."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
