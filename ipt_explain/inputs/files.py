"""Dumps from files and standard input."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from ipt_explain.errors import UsageError
from ipt_explain.inputs.decoding import decode, read_stream
from ipt_explain.inputs.limits import INPUT_BYTES, InputLimit
from ipt_explain.records import Record, field

STANDARD_INPUT = "-"

NOTHING_TO_READ = "nothing to read: give a file (ipt-explain node.txt) or pipe a dump in (iptables-save | ipt-explain)"


class InputText(Record):
    """A text and its source: a path as given, `-`, or the tool that printed it."""

    name: str
    text: str = field(repr=False)


def read_inputs(paths: Iterable[str]) -> tuple[InputText, ...]:
    """The text of every path, in order. `-` is standard input, the default if something is piped in.

    Raises UsageError if there is nothing to read, or if something cannot be read or is not text.
    """
    names = list(paths)
    if not names:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError(NOTHING_TO_READ)
        names = [STANDARD_INPUT]
    if names.count(STANDARD_INPUT) > 1:
        raise UsageError("standard input (-) can be read only once")
    return tuple(InputText(name, _read(name)) for name in names)


def equal_files(one: str, other: str) -> bool:
    """Whether two regular files have equal content; False for others, since a pipe can be read only once."""
    from filecmp import cmp

    with suppress(OSError, ValueError):
        return cmp(one, other, shallow=False)
    return False


def read_regular(path: str | os.PathLike[str], limit: InputLimit = INPUT_BYTES) -> tuple[str, int]:
    """The text of a regular file (a pipe could stall, a device may never end), and its owner's user ID.

    Raises UsageError if it is not a regular file, exceeds the limit, or cannot be read.
    """
    name = os.fspath(path)
    with _failures_in_words(name):
        # Without O_NONBLOCK, opening a pipe would wait for its writer.
        descriptor = os.open(name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if stat.S_ISDIR(found.st_mode):
                raise UsageError(f"{name}: this is a directory")
            if not stat.S_ISREG(found.st_mode):
                raise UsageError(f"{name}: this is a pipe or a device, not a file")
            return decode(read_stream(file, name, limit), name), found.st_uid


def _read(name: str) -> str:
    with _failures_in_words(name):
        if name != STANDARD_INPUT:
            with open(name, "rb") as file:
                return decode(read_stream(file, name), name)
        if sys.stdin is None:
            raise UsageError("standard input (-) is closed")
        return decode(read_stream(sys.stdin.buffer, name), name)


@contextmanager
def _failures_in_words(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise UsageError(f"{name}: there is no such file") from None
    except IsADirectoryError:
        import shlex

        within = f"{shlex.quote(name.rstrip('/'))}/*"
        raise UsageError(f"{name}: this is a directory; name the dumps in it ({within})") from None
    except PermissionError:
        raise UsageError(f"{name}: permission denied") from None
    except (OSError, ValueError) as error:  # ValueError: an impossible path (it contains NUL)
        raise UsageError(f"{name}: {getattr(error, 'strerror', None) or error}") from None
