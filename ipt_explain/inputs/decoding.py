"""Bytes to text: compression and encodings that a dump may have, and refusing what is not text."""

from __future__ import annotations

import codecs
import os
from typing import BinaryIO

from ipt_explain.errors import UsageError
from ipt_explain.inputs.limits import INPUT_BYTES, UNPACK_FREE_BYTES, UNPACK_RATIO, InputLimit

_FIRST_CHUNK = 1 << 12
_CHUNK = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MAGICS = (
    (b"\x7fELF", "a program (ELF)"),
    (b"PK\x03\x04", "a zip archive; unpack it first"),
    (b"\xfd7zXZ\x00", "packed with xz; unpack it first (xz -dc)"),
    (b"BZh", "packed with bzip2; unpack it first (bzip2 -dc)"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd; unpack it first (zstd -dc)"),
)


def read_stream(stream: BinaryIO, source: str, limit: InputLimit = INPUT_BYTES) -> bytes:
    """All bytes of a stream. Raises UsageError if there are more than the limit (a device, a runaway pipe)."""
    most = limit.value()
    # Read a regular file in one piece: joining pieces would copy 50 MB twice.
    content = stream.read(min(_size_of(stream), most) + 1)
    more = bytearray()
    while len(content) + len(more) <= most and (chunk := stream.read(_CHUNK)):
        more += chunk
    if len(content) + len(more) > most:
        raise limit.exceeded(source)
    return content + more if more else content


def _size_of(stream: BinaryIO) -> int:
    """The size of a stream's file; 0 for a pipe."""
    try:
        return os.fstat(stream.fileno()).st_size
    except (OSError, ValueError):
        return 0


def decode(content: bytes, source: str) -> str:
    """The text of a dump's bytes: UTF-8, UTF-16 with a byte order mark (as PowerShell's `>` writes), or either in gzip.

    Bytes that are not UTF-8 survive as surrogate escapes. Raises UsageError, which names `source`, if this is not text.
    """
    if content.startswith(_GZIP_MAGIC):
        content = _unpack(content, source)
    if content.startswith(codecs.BOM_UTF8):
        content = content[len(codecs.BOM_UTF8) :]
    elif content.startswith(_UTF16_MARKS):
        return _decode_utf16(content, source)
    _refuse_binary(content, source)
    return content.decode("utf-8", "surrogateescape")


def _unpack(content: bytes, source: str) -> bytes:
    """The content of all gzip members, within limits: a few kilobytes may unpack to terabytes."""
    import zlib

    most, ratio = INPUT_BYTES.value(), UNPACK_RATIO.value()
    most_by_ratio = max(ratio * len(content), UNPACK_FREE_BYTES.value())
    unpacked = bytearray()
    position = 0
    while content.startswith(_GZIP_MAGIC, position):
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        size = _FIRST_CHUNK  # small at first, or each of a million tiny members would read a large chunk
        try:
            while not member.eof:
                chunk = member.unconsumed_tail
                if not chunk:
                    chunk = content[position : position + size]
                    position += len(chunk)
                    size = min(2 * size, _CHUNK)
                if not chunk:
                    raise UsageError(f"{source}: its gzip data ends too early; was the file copied completely?")
                unpacked += member.decompress(chunk, _CHUNK)
                if len(unpacked) > most:
                    raise INPUT_BYTES.exceeded(source)
                if len(unpacked) > most_by_ratio:
                    raise UNPACK_RATIO.exceeded(source, "its gzip data grows to")
        except zlib.error:
            raise UsageError(f"{source}: its gzip data is damaged") from None
        position -= len(member.unused_data)
        while content.startswith(b"\0", position):
            position += 1
    return bytes(unpacked)


def _decode_utf16(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-16").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise UsageError(f"{source}: it begins like UTF-16 but is not; save the dump as UTF-8") from None


def _refuse_binary(content: bytes, source: str) -> None:
    for magic, what in _MAGICS:
        if content.startswith(magic):
            raise UsageError(f"{source}: this is {what}, not the text of iptables-save")
    head = content[:4096]
    zeros = head.count(0)
    # The parser reports a stray NUL with its line; more than one in ten bytes is not a typing error.
    if zeros * 10 <= len(head):
        return
    if not any(head[0::2]) or not any(head[1::2]):
        raise UsageError(f"{source}: this looks like UTF-16 without a byte order mark; save the dump as UTF-8")
    raise UsageError(f"{source}: this is binary data, not the text of iptables-save")
