"""Exact arithmetic on the probabilities of `-m statistic`, which the kernel stores in 31 bits.

Facts: libxt_statistic.c stores `lround(p * 2^31)`; xt_statistic.c matches when 31 random bits are below it.
iptables prints stored / 2^31 with 11 decimals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import repeat
from operator import is_
from typing import overload

SCALE = 1 << 31
ALWAYS = Fraction(1)
NEVER = Fraction(0)
NOTHING = 1e-12
"""What a sum of floats may be off by; the smallest share that the kernel can leave over is 2^-31."""

# Beyond numerators of this size (four factors of 31 bits) exact arithmetic costs more than its last digits are worth.
# Products of halves stay exact, however many, and cannot vanish.
_EXACT_BITS = 128

Probability = Fraction | float


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


def chance(text: str, negated: bool = False) -> Fraction:
    """The exact chance that `--probability TEXT` (or `! --probability TEXT`) matches. Raises ValueError as `stored`
    does."""
    matching = stored(text)
    return Fraction(SCALE - matching if negated else matching, SCALE)


def nth_share(every: int, negated: bool = False) -> Fraction:
    """The long-run share of packets that `--mode nth --every EVERY` matches, whatever its `--packet`.

    Raises ValueError if `every` is less than 1.
    """
    if every < 1:
        raise ValueError(f"--every {every} is less than 1")
    return Fraction(every - 1 if negated else 1, every)


def product(left: Probability, right: Probability) -> Probability:
    """The probability of both: exact while the numerator is short, then a float (relative error below 2^-52 per
    factor)."""
    if left is ALWAYS:
        return right
    if right is ALWAYS:
        return left
    result = left * right
    if type(result) is Fraction and result.numerator.bit_length() > _EXACT_BITS:
        return float(result)
    return result


@overload
def taken(left: float, chance: float) -> tuple[float, float]: ...
@overload
def taken(left: Probability, chance: Probability) -> tuple[Probability, Probability]: ...
def taken(left: Probability, chance: Probability) -> tuple[Probability, Probability]:
    """The parts of the packets reaching a rule that it takes, and that it leaves to later rules.

    The walk and the reading of chains both use this to share out packets at random.
    """
    if type(left) is float and type(chance) is float:
        return left * chance, left * (1.0 - chance)
    return product(left, chance), product(left, ALWAYS - chance)


def products(left: Sequence[Probability], right: Sequence[Probability]) -> list[Probability]:
    """`product` of each pair. Few of many pairs differ, so each is computed once; mostly all are the same."""
    if left and all(map(is_, left, repeat(left[0]))) and all(map(is_, right, repeat(right[0]))):
        return [product(left[0], right[0])] * len(left)
    known: dict[tuple[int, int], Probability] = {}
    found: list[Probability] = []
    for one, other in zip(left, right):
        key = (id(one), id(other))
        both = known.get(key)
        if both is None:
            both = known[key] = product(one, other)
        found.append(both)
    return found


def total(left: Probability, right: Probability) -> Probability:
    """The probability of either of two exclusive events, exact within the same bound as `product`."""
    result = left + right
    if result == 1:
        return ALWAYS
    if type(result) is Fraction and result.numerator.bit_length() > _EXACT_BITS:
        return float(result)
    return result
