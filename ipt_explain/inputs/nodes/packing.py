"""Packed streams, unpacked as they are read: gzip, bzip2, xz and zstd, told by their first bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from typing import IO, BinaryIO, cast

from ipt_explain.errors import UsageError

HEAD = 1 << 16
"""How much of a file tells what it is."""

_GZIP = b"\x1f\x8b"
_BZIP2 = b"BZh"
_XZ = b"\xfd7zXZ\x00"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_LAYERS = 2


def is_zip(head: bytes) -> bool:
    """Whether a stream that begins so is a zip archive."""
    return head.startswith(_ZIP)


def head_of(stream: BinaryIO) -> bytes:
    """The first bytes of a buffered stream, which are still to be read."""
    if isinstance(stream, io.BufferedReader):
        return stream.peek(HEAD)[:HEAD]
    position = stream.tell()
    head = stream.read(HEAD)
    stream.seek(position)
    return head


def unpacked(stream: IO[bytes]) -> BinaryIO:
    """The stream without its packing, buffered; a `.txt.gz` in a `.tar.xz` has two layers.

    Raises UsageError for zstd where nothing here can read it. Damage shows when it is read.
    """
    buffered = _buffered(stream)
    for _ in range(_LAYERS):
        head = head_of(buffered)
        inner: IO[bytes]
        if head.startswith(_GZIP):
            inner = gzip.GzipFile(fileobj=buffered)
        elif head.startswith(_BZIP2):
            inner = bz2.BZ2File(buffered)
        elif head.startswith(_XZ):
            inner = lzma.LZMAFile(buffered)
        elif head.startswith(_ZSTD):
            inner = _zstd(buffered)
        else:
            break
        buffered = _buffered(inner)
    return buffered


def _buffered(stream: IO[bytes]) -> BinaryIO:
    if isinstance(stream, (io.BufferedReader, io.BytesIO)):
        return stream
    return io.BufferedReader(cast(io.RawIOBase, stream), HEAD)


def _zstd(stream: BinaryIO) -> IO[bytes]:
    try:
        import zstandard
    except ImportError:
        raise UsageError("zstd cannot be read here: unpack it first (zstd -dc), or pip install zstandard") from None
    return cast(IO[bytes], zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True))
