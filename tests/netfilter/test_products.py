"""Shares of many packets, multiplied at once."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ipt_explain.netfilter.probability import ALWAYS, Probability, product, products

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([], []), ([HALF] * 3, [THIRD] * 3), ([HALF, THIRD, HALF], [THIRD] * 3), ([HALF] * 3, [THIRD, HALF, ALWAYS]),
        ([ALWAYS, ALWAYS], [0.25, 0.25]),
    ],
)  # fmt: skip
def test_products_are_those_of_each_pair(left: list[Probability], right: list[Probability]) -> None:
    assert products(left, right) == list(map(product, left, right))
