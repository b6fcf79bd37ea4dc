"""The user's cache folder, for parser tables if those shipped with the program do not fit.

Only files that nobody else can have written are read: folder and file must belong to the user, must not be links, and
must not be writable by others. Under `sudo`, $HOME may be another user's, so root uses its account's home.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from ipt_explain.errors import UsageError
from ipt_explain.outputs import write_file

_FOLDER = "ipt-explain"
_MOST_BYTES = 64 << 20


def read_cached(name: str) -> bytes | None:
    """The content stored under a name; None if there is none, or if it may not be the user's own."""
    folder = _folder()
    if folder is None or not _is_private(folder):
        return None
    with suppress(OSError):
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022:
                return file.read(_MOST_BYTES)
    return None


def keep_cached(name: str, content: bytes) -> None:
    """Store content under a name for the user's next run, if possible."""
    folder = _folder()
    if folder is None:
        return
    with suppress(OSError, UsageError):
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if _is_private(folder):
            write_file(folder / name, [content], mode=0o600)


def _folder() -> Path | None:
    if not hasattr(os, "geteuid"):  # without owners, no file can be trusted
        return None
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(chosen):
        return Path(chosen, _FOLDER)
    home = _home()
    return None if home is None else home / ".cache" / _FOLDER


def _home() -> Path | None:
    import pwd

    with suppress(OSError, KeyError, ValueError):
        for home in (os.environ.get("HOME", ""), pwd.getpwuid(os.geteuid()).pw_dir):
            if os.path.isabs(home) and os.stat(home).st_uid == os.geteuid():
                return Path(home)
    return None


def _is_private(folder: Path) -> bool:
    with suppress(OSError, ValueError):
        found = os.lstat(folder)
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
    return False
