from __future__ import annotations

import pytest

from ipt_explain.words.percents import evenness, percent, percents


def chain(endpoints: int, digits: int) -> list[float]:
    """The shares of a KUBE-SVC chain whose writer gave its probabilities this many digits."""
    shares, rest = [], 1.0
    for left in range(endpoints, 0, -1):
        chance = round(round(1 / left, digits) * 2**31) / 2**31
        shares.append(rest * chance)
        rest -= shares[-1]
    return shares


@pytest.mark.parametrize(
    ("chances", "shown"),
    [
        ([1.0], ["100 %"]),
        ([0.25] * 4, ["25.00 %"] * 4),
        ([0.0, 1.0], ["0 %", "100 %"]),
        (chain(3, 10), ["33.33 %"] * 3),
        (chain(7, 10), ["14.29 %"] * 7),
        (chain(3, 5), ["33.333 %", "33.334 %", "33.334 %"]),
        ([0.999999, 0.000001], ["99.9999 %", "0.0001 %"]),
        ([0.99999999, 0.00000001], ["99.999999 %", "0.000001 %"]),
        ([0.5, 0.50001], ["50.000 %", "50.001 %"]),
        ([1 - 2**-60, 2**-60], ["100 %", "<0.000000001 %"]),
    ],
)
def test_shares_that_differ_look_different(chances: list[float], shown: list[str]) -> None:
    assert percents(chances) == shown


def test_no_share_looks_like_nothing_or_everything() -> None:
    assert percents([1 - 1e-13, 1e-13]) == [">99.999999999 %", "<0.000000001 %"]


@pytest.mark.parametrize(
    ("chances", "said"),
    [
        ([1.0], ""),
        ([0.5, 0.5], "even"),
        (chain(3, 10), "even"),
        (chain(1000, 10), "even"),
        (chain(3, 5), "even within 0.0006 %"),
        (chain(100, 5), "even within 0.0009 %"),
        (chain(1000, 5), "even within 0.001 %"),
        ([0.5, 0.25, 0.25], "uneven"),
        ([0.5, 0.50003], "uneven"),
    ],
)
def test_evenness_is_printed_with_its_bound(chances: list[float], said: str) -> None:
    assert evenness(chances) == said


@pytest.mark.parametrize(
    ("chance", "said"), [(0.5, "50 %"), (0.125, "12.5 %"), (1 / 3, "33.33 %"), (1.0, "100 %"), (0.000001, "0.0001 %")]
)
def test_a_sentence_has_no_needless_digits(chance: float, said: str) -> None:
    assert percent(chance) == said
