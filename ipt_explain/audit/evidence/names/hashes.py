"""Whether many names have the right hashes, without a Python loop over the letters of each.

Fact: a chain's hash is base32 of the first 80 bits of a sha256 (see names.py), 16 letters of 5 bits. Read as one number
to the base 32, any number of hashes in a row are the digests' bytes in a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.analyzers.names import HASH_LENGTH

_BYTES = HASH_LENGTH * 5 // 8
_LETTERS, _BASE_32 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789abcdefghijklmnopqrstuv"
# Python's base 32 digits for the letters of RFC 4648; anything else that int() would read as a digit is not one.
_DIGITS = bytes(_BASE_32[_LETTERS.index(byte)] if byte in _LETTERS else ord("~") for byte in range(256))
# Numbers longer than this are slow to compare, shorter ones too many.
_CHUNK = 256


def bear_hashes(hashes: Sequence[str], inputs: Sequence[str]) -> bool:
    """Whether each hash is that of the input in the same place."""
    from ipt_explain.digests import sha256

    joined = "".join(hashes).encode("ascii", "replace")
    if len(joined) != HASH_LENGTH * len(inputs):
        return False
    if not joined:
        return True
    try:
        borne = int(joined.translate(_DIGITS), 32)
    except ValueError:
        return False
    digests = [sha256(each.encode("utf-8", "surrogateescape")).digest()[:_BYTES] for each in inputs]
    return borne == int.from_bytes(b"".join(digests), "big")


def unfit(hashes: Sequence[str], inputs: Sequence[str]) -> Iterator[int]:
    """The places whose hash does not fit the input. They are searched one by one only in chunks that have some."""
    for start in range(0, len(inputs), _CHUNK):
        end = start + _CHUNK
        if not bear_hashes(hashes[start:end], inputs[start:end]):
            for place, (each, text) in enumerate(zip(hashes[start:end], inputs[start:end]), start):
                if not bear_hashes([each], [text]):
                    yield place
