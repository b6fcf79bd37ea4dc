"""Unpacking streams while reading them: gzip, bzip2, xz and zstd, recognised by their first bytes.

Limits on the unpacked size apply during unpacking, not afterwards.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from typing import IO, BinaryIO, cast

from ipt_explain.errors import UsageError
from ipt_explain.inputs.limits import (
    ARCHIVE_BYTES,
    ARCHIVE_RATIO,
    INPUT_BYTES,
    UNPACK_FREE_BYTES,
    UNPACK_RATIO,
    InputLimit,
)

HEAD = 1 << 16
"""How many bytes of a file are used to recognise its kind."""

_GZIP = b"\x1f\x8b"
_BZIP2 = b"BZh"
_XZ = b"\xfd7zXZ\x00"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_LAYERS = 2
_ZSTD_WINDOW = 128 << 20


class Unpacked(io.BufferedReader):
    """An unpacked stream, buffered, with the limits of a single file until `as_archive` is called.

    `plain` is the file on disk itself if it is not packed.
    """

    def __init__(self, meter: _Meter, plain: BinaryIO | None) -> None:
        super().__init__(cast(io.RawIOBase, meter), HEAD)
        self._meter = meter
        self.plain = plain

    def as_archive(self) -> None:
        """Apply the limits of archives: their many files may repeat each other."""
        self._meter.limit(ARCHIVE_BYTES, ARCHIVE_RATIO)


class _Meter(io.RawIOBase):
    """Compares the size of an unpacker's output with that of its input."""

    def __init__(self, inner: IO[bytes], packed_bytes: Callable[[], int], source: str) -> None:
        self._inner = inner
        self._packed_bytes = packed_bytes
        self._source = source
        self._count = 0
        self._free = UNPACK_FREE_BYTES.value()
        self.limit(INPUT_BYTES, UNPACK_RATIO)

    def limit(self, total: InputLimit, ratio: InputLimit) -> None:
        """Set new limits."""
        self._total, self._ratio = total, ratio
        self._total_value, self._ratio_value = total.value(), ratio.value()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        view = memoryview(buffer)
        count = 0
        # Fill the view: unpackers return one piece at a time, but recognising a file needs kilobytes.
        while count < len(view) and (chunk := self._inner.read(len(view) - count)):
            view[count : count + len(chunk)] = chunk
            count += len(chunk)
        self._count += count
        if self._count > self._total_value:
            raise self._total.exceeded(self._source)
        if self._count > self._free and self._count > self._ratio_value * max(self._packed_bytes(), 1):
            raise self._ratio.exceeded(self._source, "it unpacks to")
        return count


def is_zip(head: bytes) -> bool:
    """Whether a stream with this beginning is a zip archive."""
    return head.startswith(_ZIP)


def unpacked(stream: IO[bytes], source: str, packed_bytes: int | None = None) -> Unpacked:
    """The stream without its packing; a `.txt.gz.gz` has two layers.

    `packed_bytes` is the packed size if the stream is a zip archive's member. Raises UsageError for zstd if no library
    for it is installed. Damage, and growth beyond limits, raise later, during reading.
    """
    packed = _Counter(stream)
    size = packed.count if packed_bytes is None else lambda: packed_bytes
    first = buffered = io.BufferedReader(cast(io.RawIOBase, packed), HEAD)
    for _ in range(_LAYERS):
        inner = _layer(buffered.peek(len(_XZ)), buffered)
        if inner is None:
            break
        buffered = io.BufferedReader(inner, HEAD)
    on_disk = isinstance(stream, io.BufferedReader) and isinstance(stream.raw, io.FileIO)
    plain = cast(BinaryIO, stream) if buffered is first and on_disk else None
    return Unpacked(_Meter(buffered, size, source), plain)


def _layer(head: bytes, stream: IO[bytes]) -> io.RawIOBase | None:
    """The stream without its outermost packing, recognised by its first bytes; None if it has none."""
    openers: tuple[tuple[bytes, Callable[[IO[bytes]], object]], ...] = (
        (_GZIP, lambda packed: gzip.GzipFile(fileobj=packed)),
        (_BZIP2, bz2.BZ2File),
        (_XZ, lzma.LZMAFile),
        (_ZSTD, _zstd),
    )
    opener = next((opener for magic, opener in openers if head.startswith(magic)), None)
    # All of them provide what BufferedReader needs from a raw stream.
    return None if opener is None else cast(io.RawIOBase, opener(stream))


class _Counter(io.RawIOBase):
    """Counts the packed bytes read."""

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner = inner
        self._count = 0

    def count(self) -> int:
        return self._count

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        view = memoryview(buffer)
        chunk = self._inner.read(len(view))
        view[: len(chunk)] = chunk
        self._count += len(chunk)
        return len(chunk)


def _zstd(stream: IO[bytes]) -> object:
    try:
        import zstandard
    except ImportError:
        raise UsageError("zstd cannot be read here: unpack it first (zstd -dc), or pip install zstandard") from None
    unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    return unpacker.stream_reader(stream, read_across_frames=True)
