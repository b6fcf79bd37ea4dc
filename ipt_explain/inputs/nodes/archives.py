"""Archives read as directories, member by member, without unpacking anything to disk.

tar in any packing and zip. An archive in an archive is read too, one level deep: a must-gather holds tar files of its
own.
"""

from __future__ import annotations

import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO

from ipt_explain.inputs.nodes.packing import head_of, is_zip, unpacked

_TAR_BLOCK = 512
_MAX_DEPTH = 2
_MAX_HEADER = 1 << 20

DAMAGE = (EOFError, OSError, ValueError, RuntimeError, NotImplementedError, lzma.LZMAError, zlib.error,
          tarfile.TarError, zipfile.BadZipFile)  # fmt: skip
"""What reading a damaged, encrypted or cut archive raises, from whichever library meets it first."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its path there, and its bytes, to be read before the next member is asked for."""

    path: str
    stream: BinaryIO


def members(stream: BinaryIO, depth: int = 0) -> Iterator[Member] | None:
    """The files of an archive in its order; None where the stream, unpacked already, is no archive.

    Raises one of `DAMAGE` where the archive is cut or damaged, after the members that can be read.
    """
    head = head_of(stream)
    if is_zip(head):
        return _zip_members(stream, depth)
    if _is_tar(head):
        return _tar_members(stream, depth)
    return None


def _is_tar(head: bytes) -> bool:
    if len(head) < _TAR_BLOCK or not any(head[:_TAR_BLOCK]):
        return False
    try:
        tarfile.TarInfo.frombuf(head[:_TAR_BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _tar_members(stream: BinaryIO, depth: int) -> Iterator[Member]:
    watched = _Watched(stream)
    with tarfile.open(fileobj=watched, mode="r|", tarinfo=_Header) as archive:  # type: ignore[call-overload]
        for info in archive:
            # Links lead to members that are read anyway; devices and pipes hold nothing.
            if info.isreg() and not _is_hidden(info.name):
                yield from _inner(_clean(info.name), archive.extractfile(info), depth)
            # What it remembers of a million members is not needed again.
            archive.members = []
    if any(watched.last):
        raise EOFError("the archive ends too early")


class _Watched:
    """A stream that remembers what it read last: a tar file ends with zeros, and `tarfile` does not miss them."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.last = b""

    def read(self, size: int) -> bytes:
        chunk = self._stream.read(size)
        if chunk:
            self.last = chunk[-_TAR_BLOCK:]
        return chunk


class _Header(tarfile.TarInfo):
    """A member's header; `tarfile` would read the long names that announce one into memory, however long they claim
    to be."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        announces = self.type in (
            tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME,
            tarfile.GNUTYPE_LONGLINK,
        )  # fmt: skip
        if announces and self.size > _MAX_HEADER:
            raise tarfile.ReadError("a member's name is too long")
        return super()._proc_member(archive)  # type: ignore[misc, no-any-return]


def _zip_members(stream: BinaryIO, depth: int) -> Iterator[Member]:
    seekable = stream if stream.seekable() else io.BytesIO(stream.read())
    with zipfile.ZipFile(seekable) as archive:
        for info in archive.infolist():
            if not info.is_dir() and not _is_hidden(info.filename):
                with archive.open(info) as content:
                    yield from _inner(_clean(info.filename), content, depth)


def _inner(path: str, content: IO[bytes] | None, depth: int) -> Iterator[Member]:
    """A member, or the members of the archive that it is."""
    if content is None:
        return
    stream = unpacked(content)
    inner = members(stream, depth + 1) if depth + 1 < _MAX_DEPTH else None
    if inner is None:
        yield Member(path, stream)
    else:
        for member in inner:
            yield Member(f"{path}/{member.path}", member.stream)


def _clean(path: str) -> str:
    """The path without what leads out of the archive: it names a place to people, nothing is written there."""
    return "/".join(part for part in path.replace("\\", "/").split("/") if part not in ("", ".", ".."))


def _is_hidden(path: str) -> bool:
    return path.rpartition("/")[2].startswith(".")
