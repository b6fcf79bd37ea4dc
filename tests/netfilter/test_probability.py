"""What the kernel makes of `--probability` and `--every`."""

from fractions import Fraction

import pytest

from ipt_explain.netfilter import probability


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("0.33332999982", 715820724),  # kube-proxy up to 1.16: %.5f of 1/3, printed back by iptables
        ("0.33333", 715820724),
        ("0.33333333349", 715827883),
        ("0.3333333333", 715827883),
        ("0.14285714272", 306783378),
        ("0.00100000016", 2147484),
        ("1e-3", 2147484),
        (".5", 1 << 30),
        ("0x1p-1", 1 << 30),
        ("0.9999999998", 1 << 31),  # rounds up to "always"
        ("0.00000000023", 0),  # rounds down to "never"
        ("1", 1 << 31),
        ("0", 0),
    ],
)
def test_kernel_rounds_to_31_bits(text: str, stored: int) -> None:
    assert probability.stored(text) == stored


def test_negation_takes_the_rest() -> None:
    assert probability.chance("0.25") + probability.chance("0.25", negated=True) == 1
    assert probability.chance("0.25", negated=True) == Fraction(3, 4)


@pytest.mark.parametrize("text", ["1.5", "-0.1", "nan", "inf", "half", ""])
def test_what_is_no_probability_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        probability.stored(text)


def test_nth_shares() -> None:
    assert probability.nth_share(3) == Fraction(1, 3)
    assert probability.nth_share(3, negated=True) == Fraction(2, 3)
    with pytest.raises(ValueError, match=r"\S"):
        probability.nth_share(0)


def test_long_products_turn_into_floats_and_stay_right() -> None:
    third = probability.chance("0.33333333349")
    share: probability.Probability = Fraction(1)
    for _ in range(40):
        share = probability.product(share, third)
    assert isinstance(share, float)
    assert share == pytest.approx(float(third) ** 40, rel=1e-12)


def test_what_is_nearly_all_is_not_all() -> None:
    nearly = probability.total(Fraction(1, 2), Fraction(1, 2) - Fraction(1, 1 << 31))
    assert nearly == 1 - Fraction(1, 1 << 31)
    assert probability.total(Fraction(1, 2), Fraction(1, 2)) is probability.ALWAYS
