"""Bytes of every wrapping and encoding that dumps come in, and bytes that are no dump."""

from __future__ import annotations

import gzip

import pytest

from ipt_explain.errors import UsageError
from ipt_explain.inputs import decode
from ipt_explain.inputs.limits import INPUT_BYTES, UNPACK_RATIO

DUMP = "*nat\n:KUBE-SERVICES - [0:0]\n-A KUBE-SERVICES -m comment --comment \"größe 大\" -j RETURN\nCOMMIT\n"


def test_utf8() -> None:
    assert decode(DUMP.encode(), "node") == DUMP


def test_bytes_that_are_not_utf8_survive() -> None:
    text = decode(b"-A X -m comment --comment \xff\xfe\x80\n", "node")
    assert text.encode("utf-8", "surrogateescape") == b"-A X -m comment --comment \xff\xfe\x80\n"


def test_a_byte_order_mark_is_removed() -> None:
    assert decode(b"\xef\xbb\xbf" + DUMP.encode(), "node") == DUMP


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_with_a_byte_order_mark_as_powershell_writes_it(encoding: str) -> None:
    assert decode(("\ufeff" + DUMP.replace("\n", "\r\n")).encode(encoding), "node") == DUMP


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_named(encoding: str) -> None:
    with pytest.raises(UsageError, match="node: this looks like UTF-16 without a byte order mark; save the dump as UTF-8"):
        decode("*nat\nCOMMIT\n".encode(encoding), "node")


def test_broken_utf16_is_named() -> None:
    with pytest.raises(UsageError, match="begins like UTF-16 but is not"):
        decode(b"\xff\xfe*\x00n\x00\x00\xd8", "node")


def test_gzip_is_opened() -> None:
    assert decode(gzip.compress(DUMP.encode()), "node") == DUMP


def test_joined_gzip_members_and_padding_are_one_text() -> None:
    assert decode(gzip.compress(b"*nat\n") + gzip.compress(b"COMMIT\n") + b"\0" * 100, "node") == "*nat\nCOMMIT\n"


def test_gzip_of_nothing_is_empty() -> None:
    assert decode(gzip.compress(b""), "node") == ""


def test_gzip_cut_short_is_named() -> None:
    with pytest.raises(UsageError, match=r"node: its gzip data ends too early; was the file copied completely\?"):
        decode(gzip.compress(DUMP.encode())[:-12], "node")


def test_damaged_gzip_is_named() -> None:
    packed = bytearray(gzip.compress(DUMP.encode() * 50))
    packed[30] ^= 0xFF
    with pytest.raises(UsageError, match="node: its gzip data is damaged"):
        decode(bytes(packed), "node")


def test_a_gzip_bomb_is_refused_before_it_fills_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(b"-A X\n" * (8 << 20))
    monkeypatch.setenv(INPUT_BYTES.variable, "4M")
    with pytest.raises(UsageError, match="node: it holds more than 4 MiB"):
        decode(packed, "node")


def test_gzip_that_grows_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(b"-A X\n" * (8 << 20))
    with pytest.raises(UsageError, match="node: its gzip data grows to more than 200 times its packed size"):
        decode(packed, "node")
    monkeypatch.setenv(UNPACK_RATIO.variable, "2000")
    assert len(decode(packed, "node")) == 5 * (8 << 20)


def test_many_small_members_cost_no_more_than_their_size() -> None:
    assert decode(gzip.compress(b"*nat\n") + gzip.compress(b"") * 20_000 + gzip.compress(b"COMMIT\n"), "node") == "*nat\nCOMMIT\n"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x7fELF\x02\x01\x01" + bytes(60), "a program"),
        (b"PK\x03\x04abc", "unpack it first"),
        (b"\xfd7zXZ\x00abc", "xz -dc"),
        (b"BZh91AY&SY", "bzip2 -dc"),
        (b"\x28\xb5\x2f\xfdabc", "zstd -dc"),
        (bytes(range(4)) * 100 + bytes(900), "binary data"),
    ],
)
def test_binary_input_is_refused(content: bytes, what: str) -> None:
    with pytest.raises(UsageError, match=f"node: .*{what}"):
        decode(content, "node")


def test_a_single_nul_is_left_to_the_parser() -> None:
    assert decode(b"-A X -j \0\n", "node") == "-A X -j \0\n"


def test_nothing_is_an_empty_text() -> None:
    assert decode(b"", "node") == ""
