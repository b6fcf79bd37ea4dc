"""Writing files: whole or not at all, and never over a file that should be kept."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from ipt_explain.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_HEAD_SIZE = 4096
_FORCE = "--force does it anyway"


def write_file(
    path: str | Path,
    chunks: Iterable[str | bytes],
    *,
    inputs: Iterable[str | Path] = (),
    may_replace: Callable[[bytes], bool] | None = None,
    force: bool = False,
    mode: int | None = None,
    otherwise: str = _FORCE,
) -> None:
    """Write a file atomically: readers see the old content or all of the new, even after a crash.

    The text goes to a draft in the same folder, which is flushed to disk and renamed. Without `force` this refuses to
    overwrite one of the `inputs`, a symbolic link's target, or a file (unless empty) whose first 4,096 bytes
    `may_replace` does not accept. An existing file keeps its mode and, if permitted, its owner; a new one gets `mode`,
    or the umask's default. Text is written as UTF-8, surrogates as the bytes they stand for. Raises UsageError if the
    file cannot or must not be written; `otherwise` then says what else to do.
    """
    from pathlib import Path

    target = Path(path)
    try:
        if force:
            target = target.resolve()
        else:
            _refuse_to_lose(target, [Path(each) for each in inputs], may_replace, otherwise)
        _write(target, chunks, mode)
    except (OSError, RuntimeError) as error:  # older Pythons raise RuntimeError for a loop of links
        raise UsageError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from None
    except ValueError as error:  # an impossible path (it contains NUL)
        raise UsageError(f"cannot write {path}: {error}") from None


def _refuse_to_lose(
    target: Path, inputs: Iterable[Path], may_replace: Callable[[bytes], bool] | None, otherwise: str
) -> None:
    if target.is_symlink():
        raise UsageError(f"{target} is a symbolic link: name the file that it leads to; {otherwise}")
    if not target.exists():
        return
    for each in inputs:
        if each.exists() and each.samefile(target):
            raise UsageError(f"{target} is read by this command, so it is not overwritten; {otherwise}")
    if may_replace is not None and target.is_file():
        with target.open("rb") as file:
            head = file.read(_HEAD_SIZE)
        if head and not may_replace(head):
            raise UsageError(f"{target} holds something else, so it is not overwritten; {otherwise}")


def _write(target: Path, chunks: Iterable[str | bytes], mode: int | None) -> None:
    before = target.stat() if target.exists() else None
    if before is not None and not stat.S_ISREG(before.st_mode):
        raise UsageError(f"cannot write {target}: it is {_kind(before.st_mode)}")
    import tempfile

    descriptor, draft = tempfile.mkstemp(prefix=f".{target.name[:64]}.", suffix=".tmp", dir=target.parent)
    try:
        with open(descriptor, "wb") as file:
            file.writelines(chunk if isinstance(chunk, bytes) else _encoded(chunk) for chunk in chunks)
            file.flush()
            _take_over(descriptor, before, mode)
            os.fsync(descriptor)
        os.replace(draft, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(draft)
        raise
    _sync_folder(target.parent)


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair, which stands for no byte
        return text.encode("utf-8", "backslashreplace")


def _take_over(descriptor: int, before: os.stat_result | None, mode: int | None) -> None:
    """Set the mode and owner of the replaced file, or the mode of a new one."""
    if before is None:
        if mode is None:
            mask = os.umask(0o077)
            os.umask(mask)
            mode = 0o666 & ~mask
        os.fchmod(descriptor, mode)
        return
    with suppress(OSError):
        os.fchown(descriptor, before.st_uid, before.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode) & 0o777)


def _sync_folder(folder: Path) -> None:
    """Flush the new name to disk; where a file system cannot, a crash may lose the new file, never the old one."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a directory"
    return "not a regular file"
