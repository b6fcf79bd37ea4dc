"""Whether many names have the right hashes, without a Python loop over the letters of each.

Fact: a chain's hash is base32 of the first 80 bits of a sha256 (see names.py), 16 letters of 5 bits. Read as one number
to the base 32, any number of hashes in a row are the digests' bytes in a row.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.analyzers.names import HASH_LENGTH

_BYTES = HASH_LENGTH * 5 // 8
# Python's base 32 digits for the letters of RFC 4648; anything else that int() would read as a digit is not one.
_DIGITS = dict.fromkeys(range(128), "~") | str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789abcdefghijklmnopqrstuv"
)


def bear_hashes(hashes: Sequence[str], inputs: Sequence[bytes]) -> bool:
    """Whether each hash is that of the input in its place."""
    from ipt_explain.digests import sha256

    joined = "".join(hashes)
    if len(joined) != HASH_LENGTH * len(inputs) or not joined.isascii():
        return False
    if not joined:
        return True
    try:
        borne = int(joined.translate(_DIGITS), 32)
    except ValueError:
        return False
    return borne == int.from_bytes(b"".join([sha256(each).digest()[:_BYTES] for each in inputs]), "big")


def unfit(hashes: Sequence[str], inputs: Sequence[bytes]) -> list[int]:
    """The places whose hash is not that of the input; costs little if all match."""
    if bear_hashes(hashes, inputs):
        return []
    return [place for place, (each, text) in enumerate(zip(hashes, inputs)) if not bear_hashes([each], [text])]
