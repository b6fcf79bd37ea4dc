"""Files of nodes that cannot be read, and why."""

from __future__ import annotations

from ipt_explain.errors import UsageError
from ipt_explain.records import Record


class UnreadableFile(Record):
    """A file, the rest of an archive, or a directory that cannot be read or is `empty`, and why. `expected`: it should
    hold a node's rules, wherever it is."""

    path: str
    why: str
    given: str | None = None
    folder: bool = False
    empty: bool = False
    expected: bool = False


def why_unreadable(error: BaseException) -> str:
    """Why a file cannot be read, in words."""
    if isinstance(error, UsageError):
        return str(error)
    if isinstance(error, EOFError):
        return "it ends too early: was it copied completely?"
    if isinstance(error, PermissionError):
        return "permission denied"
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, RuntimeError) and "password" in str(error):
        return "it is encrypted"
    return f"it is damaged: {error}" if str(error) else "it is damaged"
