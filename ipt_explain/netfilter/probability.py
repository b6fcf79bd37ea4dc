"""Probabilities as `-m statistic` holds them: 31-bit integers, and exact arithmetic on them.

Facts: libxt_statistic.c stores `lround(p * 2^31)`; xt_statistic.c matches when 31 random bits are below it.
iptables prints stored / 2^31 with 11 decimals.
"""

from __future__ import annotations

import math
from fractions import Fraction

SCALE = 1 << 31
ALWAYS = Fraction(1)
NEVER = Fraction(0)

# Above this size of denominator exact arithmetic costs more than its last digits are worth: 16 factors of 31 bits.
_EXACT_BITS = 512

Probability = Fraction | float


def stored(text: str) -> int:
    """The integer that the kernel keeps for `--probability TEXT`: 0 (never) to 2^31 (always).

    Takes what C's strtod takes, as iptables does: `0.5`, `.5`, `1e-3`, `0x1p-1`.
    Raises ValueError where that is no number from 0 to 1.
    """
    word = text.strip()
    value = float.fromhex(word) if "x" in word.lower() else float(word)
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"probability {text} is not between 0 and 1")
    scaled = value * SCALE                     # exact: a power of two only moves the exponent
    whole = math.floor(scaled)
    return whole + 1 if scaled - whole >= 0.5 else whole


def chance(text: str, negated: bool = False) -> Fraction:
    """The exact chance that `--probability TEXT` (or `! --probability TEXT`) matches. Raises ValueError as `stored`."""
    matching = stored(text)
    return Fraction(SCALE - matching if negated else matching, SCALE)


def nth_share(every: int, negated: bool = False) -> Fraction:
    """The long-run share of packets that `--mode nth --every EVERY` matches, whichever `--packet` it starts with.

    Raises ValueError where `every` is less than 1.
    """
    if every < 1:
        raise ValueError(f"--every {every} is less than 1")
    return Fraction(every - 1 if negated else 1, every)


def printed(matching: int) -> str:
    """A stored probability as iptables-save prints it."""
    return f"{matching / SCALE:.11f}"


def product(left: Probability, right: Probability) -> Probability:
    """Both together: exact while the denominator is short, a float (relative error below 2^-52 a factor) after."""
    result = left * right
    if isinstance(result, Fraction) and result.denominator.bit_length() > _EXACT_BITS:
        return float(result)
    return result


def total(left: Probability, right: Probability) -> Probability:
    """Either of two exclusive ones, exact under the same bound as `product`."""
    result = left + right
    if isinstance(result, Fraction) and result.denominator.bit_length() > _EXACT_BITS:
        return float(result)
    return result
