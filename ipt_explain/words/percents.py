"""Chances as percentages, with enough digits for different ones to look different."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

GRAIN = 2e-9
"""Chances that differ by no more count as equal: the kernel has steps of 2^-31, kube-proxy writes ten digits."""

FEWEST_DIGITS, MOST_DIGITS = 2, 9

# kube-proxy up to 1.16 wrote five digits, which shifts a share by up to 1e-5.
_FIVE_DIGITS = 2e-5
# How far such shares may differ, as a part of their mean, and still be called even.
_EVEN_PART = 0.05


def percent(chance: float) -> str:
    """A chance in a sentence: `50 %`, `12.5 %`, `33.33 %`."""
    number, blank, sign = percents((chance,))[0].partition(" ")
    return f"{_stripped(number)}{blank}{sign}"


def part_of(chance: float) -> str:
    """`12.5 % of ` before a noun; "" for all."""
    return "" if chance > 1 - GRAIN else f"{percent(chance)} of "


def percents(chances: Sequence[float]) -> list[str]:
    """Chances (0 to 1) with the same number of digits, at least two: enough that two that differ by more than `GRAIN`
    look different, and that only 0 and 1 look like 0 and 100 %."""
    digits = _digits(chances)
    return [_percent(chance, digits) for chance in chances]


def _digits(chances: Sequence[float]) -> int:
    apart = _apart(chances)
    for digits in range(FEWEST_DIGITS, MOST_DIGITS):
        shown = [round(chance * 100, digits) for chance in apart]
        if all(low != high for low, high in pairwise(shown)) and not {0.0, 100.0} & set(shown):
            return digits
    return MOST_DIGITS


def _apart(chances: Sequence[float]) -> list[float]:
    """The chances that must look different, sorted; without 0 and 1, which are written in full."""
    apart: list[float] = []
    for chance in sorted(set(chances)):
        if 0.0 < chance < 1.0 and (not apart or chance - apart[-1] > GRAIN):
            apart.append(chance)
    return apart


def _percent(chance: float, digits: int) -> str:
    if chance in (0.0, 1.0):
        return f"{chance * 100:.0f} %"
    shown = f"{chance * 100:.{digits}f}"
    if float(shown) == 0.0:
        return f"<{10**-digits:.{digits}f} %"
    if float(shown) == 100.0:
        return f">{100 - 10**-digits:.{digits}f} %"
    return f"{shown} %"


def as_written(chance: Decimal) -> str:
    """A chance to its last digit: 0.33332999982 as `33.332999982 %`."""
    return f"{_stripped(f'{chance * 100:f}')} %"


def _stripped(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


def evenness(chances: Sequence[float | None]) -> str:
    """How even a distribution is: `even` (to the grain of the kernel's 31-bit values), `even within 0.001 %` (to
    the five digits that kube-proxy wrote up to 1.16), or `uneven`. "" for fewer than two, or if one is unknown."""
    known = [chance for chance in chances if chance is not None]
    if len(known) < max(2, len(chances)):
        return ""
    spread = max(known) - min(known)
    if spread <= GRAIN:
        return "even"
    if spread <= _FIVE_DIGITS and spread <= _EVEN_PART * sum(known) / len(known):
        return f"even within {_rounded_up(spread * 100)} %"
    return "uneven"


def _rounded_up(value: float) -> str:
    """A small number, rounded up to one significant digit: 0.00051 as `0.0006`."""
    digits = 1
    while value * 10**digits < 1:
        digits += 1
    digit = math.ceil(value * 10**digits)
    return f"{10 ** (1 - digits):.{digits - 1}f}" if digit == 10 else f"{digit / 10**digits:.{digits}f}"
