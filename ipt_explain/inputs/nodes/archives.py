"""Reading archives member by member, without unpacking to disk.

These are zip files and tar files in any packing. Archives in archives are read, too: a must-gather contains tar files.
"""

from __future__ import annotations

import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from ipt_explain.errors import UsageError
from ipt_explain.inputs.decoding import read_stream
from ipt_explain.inputs.limits import ARCHIVE_DEPTH, ARCHIVE_MEMBERS
from ipt_explain.inputs.nodes.packing import HEAD, Unpacked, is_zip, unpacked
from ipt_explain.records import Record

_TAR_BLOCK = 512
_MAX_HEADER = 1 << 20

DAMAGE = (UsageError, EOFError, OSError, ValueError, RuntimeError, NotImplementedError, lzma.LZMAError, zlib.error,
          tarfile.TarError, zipfile.BadZipFile)  # fmt: skip
"""Exceptions that reading a damaged, encrypted or cut archive may raise, from several libraries."""


class Member(Record):
    """A file in an archive: its path, and its bytes, which must be read before the next member."""

    path: str
    stream: Unpacked


def members(stream: Unpacked, source: str) -> Iterator[Member] | None:
    """The files of an archive in its order; None if the stream is not an archive. `source` is its path in messages.

    Raises one of `DAMAGE` if the archive is cut, damaged or beyond a limit, after yielding the members before that.
    """
    return _Reader().members(stream, source, 1)


class _Reader:
    """One archive, including archives in it."""

    def __init__(self) -> None:
        self._left = ARCHIVE_MEMBERS.value()
        self._depth = ARCHIVE_DEPTH.value()

    def members(self, stream: Unpacked, source: str, depth: int) -> Iterator[Member] | None:
        head = stream.peek(HEAD)
        if is_zip(head):
            return self._zip_members(stream, source, depth)
        return self._tar_members(stream, source, depth) if _is_tar(head) else None

    def _tar_members(self, stream: Unpacked, source: str, depth: int) -> Iterator[Member]:
        stream.as_archive()
        watched = _Watched(stream)
        with tarfile.open(fileobj=watched, mode="r|", tarinfo=_Header) as archive:  # type: ignore[call-overload]
            for info in archive:
                self._count(source)
                # Skip links, whose targets are read anyway, and devices and pipes, which are empty.
                content = archive.extractfile(info) if info.isreg() and not _is_hidden(info.name) else None
                if content is not None:
                    path = _clean(info.name)
                    yield from self._inner(path, unpacked(content, f"{source}/{path}"), source, depth)
                # Free what tarfile remembers of up to a million members.
                archive.members = []
        if any(watched.last):
            raise EOFError

    def _zip_members(self, stream: Unpacked, source: str, depth: int) -> Iterator[Member]:
        with zipfile.ZipFile(_seekable(stream, source)) as archive:
            for info in archive.infolist():
                self._count(source)
                if not info.is_dir() and not _is_hidden(info.filename):
                    path = _clean(info.filename)
                    with archive.open(info) as content:
                        inner = unpacked(content, f"{source}/{path}", info.compress_size)
                        yield from self._inner(path, inner, source, depth)

    def _inner(self, path: str, stream: Unpacked, source: str, depth: int) -> Iterator[Member]:
        """A member, or its members if it is an archive."""
        inner = self.members(stream, f"{source}/{path}", depth + 1)
        if inner is None:
            yield Member(path, stream)
        elif depth >= self._depth:
            raise ARCHIVE_DEPTH.exceeded(f"{source}/{path}", "it is an archive within archives, of")
        else:
            for member in inner:
                yield Member(f"{path}/{member.path}", member.stream)

    def _count(self, source: str) -> None:
        self._left -= 1
        if self._left < 0:
            raise ARCHIVE_MEMBERS.exceeded(source)


def _seekable(stream: Unpacked, source: str) -> BinaryIO:
    """A seekable stream, since a zip archive's table of contents is at its end: the file itself, or for an archive in
    an archive its content in memory."""
    if stream.plain is not None:
        stream.plain.seek(0)
        return stream.plain
    return io.BytesIO(read_stream(stream, source))


def _is_tar(head: bytes) -> bool:
    if len(head) < _TAR_BLOCK or not any(head[:_TAR_BLOCK]):
        return False
    try:
        tarfile.TarInfo.frombuf(head[:_TAR_BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


class _Watched:
    """A stream that remembers its last bytes: a complete tar file ends with zeros, which `tarfile` does not check."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.last = b""

    def read(self, size: int) -> bytes:
        chunk = self._stream.read(size)
        if chunk:
            self.last = chunk[-_TAR_BLOCK:]
        return chunk


class _Header(tarfile.TarInfo):
    """A member's header that limits long names: `tarfile` would read them into memory, whatever size they claim."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        announces = self.type in (
            tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME,
            tarfile.GNUTYPE_LONGLINK,
        )  # fmt: skip
        if announces and self.size > _MAX_HEADER:
            raise tarfile.ReadError("a member's name is too long")
        return super()._proc_member(archive)  # type: ignore[misc, no-any-return]


def _clean(path: str) -> str:
    """The path without parts that lead out of the archive. It is only shown; nothing is written there."""
    return "/".join(part for part in path.replace("\\", "/").split("/") if part not in ("", ".", ".."))


def _is_hidden(path: str) -> bool:
    return path.rpartition("/")[2].startswith(".")
