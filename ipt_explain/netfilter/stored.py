"""A probability as the kernel stores it, in 31 bits.

Facts: libxt_statistic.c stores `lround(p * 2^31)`; xt_statistic.c matches when 31 random bits are below it.
iptables prints stored / 2^31 with 11 decimals.
"""

from __future__ import annotations

import math

SCALE = 1 << 31


def stored(text: str) -> int:
    """The integer that the kernel stores for `--probability TEXT`: 0 (never) to 2^31 (always).

    Like iptables, it accepts what C's strtod accepts: `0.5`, `.5`, `1e-3`, `0x1p-1`. Raises ValueError for anything but
    a number from 0 to 1.
    """
    word = text.strip()
    value = float.fromhex(word) if "x" in word.lower() else float(word)
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"probability {text} is not between 0 and 1")
    scaled = value * SCALE  # exact: a power of two only moves the exponent
    whole = math.floor(scaled)
    return whole + 1 if scaled - whole >= 0.5 else whole


def printed(matching: int) -> str:
    """A stored probability as iptables-save prints it."""
    return f"{matching / SCALE:.11f}"
