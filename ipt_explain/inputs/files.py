"""Dumps from files and standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

from ipt_explain.errors import UsageError
from ipt_explain.inputs.decoding import decode, read_stream

STANDARD_INPUT = "-"

NOTHING_TO_READ = "nothing to read: give a file (ipt-explain node.txt) or pipe a dump in (iptables-save | ipt-explain)"


@dataclass(frozen=True, slots=True)
class InputText:
    """A text and the name of where it came from: a path as given, `-`, or the tool that printed it."""

    name: str
    text: str = field(repr=False)


def read_inputs(paths: Iterable[str]) -> tuple[InputText, ...]:
    """The text of every path, in order. `-` is standard input, as is no path at all where something is piped in.

    Raises UsageError where there is nothing to read, or what there is cannot be read or is no text.
    """
    names = list(paths)
    if not names:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError(NOTHING_TO_READ)
        names = [STANDARD_INPUT]
    if names.count(STANDARD_INPUT) > 1:
        raise UsageError("standard input (-) can be read only once")
    return tuple(InputText(name, _read(name)) for name in names)


def _read(name: str) -> str:
    try:
        if name != STANDARD_INPUT:
            with open(name, "rb") as file:
                return decode(read_stream(file, name), name)
        if sys.stdin is None:
            raise UsageError("standard input (-) is closed")
        return decode(read_stream(sys.stdin.buffer, name), name)
    except FileNotFoundError:
        raise UsageError(f"{name}: there is no such file") from None
    except IsADirectoryError:
        raise UsageError(f"{name}: this is a directory; name the dumps in it ({name.rstrip('/')}/*)") from None
    except PermissionError:
        raise UsageError(f"{name}: permission denied") from None
    except (OSError, ValueError) as error:  # ValueError: a path that no file can have (a NUL in it)
        raise UsageError(f"{name}: {getattr(error, 'strerror', None) or error}") from None
