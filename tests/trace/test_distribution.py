"""Chances: exact where they can be, summing to 1, and never by following paths one by one."""

from __future__ import annotations

import pytest

from ipt_explain.netfilter.probability import stored
from tests.trace.helpers import go, shares


def _endpoints(options: list[str]) -> str:
    lines = ["nat -A PREROUTING -j SVC"]
    for number, option in enumerate(options):
        lines.append(f"nat -A SVC {option} -j DNAT --to-destination 10.0.0.{number + 1}:80".replace("  ", " "))
    return "\n".join(lines)


def _dnat(number: int) -> tuple[str, str, bool]:
    return ("ACCEPT", f"10.0.0.{number}:80", False)


def test_random_shares_are_the_kernels_31_bits() -> None:
    third = stored("0.33332999982") / 2**31
    found = shares(go(_endpoints(["-m statistic --mode random --probability 0.33332999982", ""])))
    assert found == {_dnat(1): third, _dnat(2): 1 - third}


def test_what_no_endpoint_takes_leaks_through() -> None:
    found = shares(go(_endpoints(["-m statistic --mode random --probability 0.5"] * 2)))
    assert found == {_dnat(1): 0.5, _dnat(2): 0.25, ("ACCEPT", None, False): 0.25}


def test_probabilities_that_round_to_never_and_always() -> None:
    options = [
        "-m statistic --mode random --probability 0.00000000023",
        "-m statistic --mode random --probability 0.9999999998",
        "",
    ]
    assert shares(go(_endpoints(options))) == {_dnat(2): 1.0}


@pytest.mark.parametrize(
    ("every", "expected"),
    [((3, 2), [1 / 3, 1 / 3, 1 / 3]), ((3, 3, 3), [1 / 3, 2 / 9, 4 / 27, 8 / 27])],
    ids=["exact round robin", "the common mistake"],
)
def test_nth_gives_its_long_run_share(every: tuple[int, ...], expected: list[float]) -> None:
    options = [f"-m statistic --mode nth --every {count} --packet 0" for count in every] + [""]
    assert list(shares(go(_endpoints(options))).values()) == pytest.approx(sorted(expected, reverse=True))


def test_a_diamond_of_jumps_with_2_to_the_40_paths() -> None:
    lines = ["nat -A PREROUTING -j L0"]
    for layer in range(40):
        lines.append(f"nat -A L{layer} -m statistic --mode random --probability 0.5 -j L{layer + 1}")
        lines.append(f"nat -A L{layer} -j L{layer + 1}")
    lines.append("nat -A L40 -s 10.244.1.5 -j DNAT --to-destination 10.0.0.1:80")
    assert shares(go("\n".join(lines))) == {_dnat(1): 1.0}


def test_a_thousand_deep_chain_and_a_thousand_endpoints() -> None:
    deep = [f"nat -A L{depth} -j L{depth + 1}" for depth in range(1000)]
    wide = [
        f"nat -A L1000 -m statistic --mode random --probability {1 / (1000 - number):.11f} -j DNAT --to-destination 10.1.{number >> 8}.{number & 255}"
        for number in range(1000)
    ]
    told = go("\n".join(["nat -A PREROUTING -j L0", *deep, *wide]))
    assert len(told.outcomes) == 1000
    assert sum(shares(told).values()) == pytest.approx(1)
    assert [outcome.probability for outcome in told.outcomes] == pytest.approx([1 / 1000] * 1000, rel=1e-4)
    assert len(told.outcomes[0].path) == 1002


def test_marks_that_differ_without_consequence_are_one_outcome() -> None:
    lines = [
        f"mangle -A PREROUTING -m statistic --mode random --probability 0.5 -j MARK --or-mark {1 << bit}"
        for bit in range(10)
    ]
    assert shares(go("\n".join(lines))) == {("ACCEPT", None, False): 1.0}


def test_more_states_than_can_be_followed_are_named_unknown() -> None:
    lines = [
        f"mangle -A PREROUTING -m statistic --mode random --probability 0.5 -j MARK --xor-mark {1 << bit}"
        for bit in range(32)
    ]
    told = go("\n".join(lines))
    assert "UNKNOWN" in {outcome.verdict for outcome in told.outcomes}
    assert sum(shares(told).values()) == pytest.approx(1)
    assert told.warnings == ("not followed: too many different packets to follow each",)


def test_affinity_needs_an_earlier_visit() -> None:
    rules = """
        nat -A PREROUTING -j SVC
        nat -A SVC -m recent --rcheck --seconds 10800 --reap --name SEP-A --mask 255.255.255.255 --rsource -j SEP-A
        nat -A SVC -m recent --rcheck --seconds 10800 --reap --name SEP-B --mask 255.255.255.255 --rsource -j SEP-B
        nat -A SVC -m statistic --mode random --probability 0.5 -j SEP-A
        nat -A SVC -j SEP-B
        nat -A SEP-A -p tcp -m recent --set --name SEP-A --mask 255.255.255.255 --rsource -m tcp -j DNAT --to-destination 10.0.0.1:80
        nat -A SEP-B -p tcp -m recent --set --name SEP-B --mask 255.255.255.255 --rsource -m tcp -j DNAT --to-destination 10.0.0.2:80
    """
    assert shares(go(rules)) == {_dnat(1): 0.5, _dnat(2): 0.5}
    assert shares(go(rules, returning="10.0.0.2:80")) == {_dnat(2): 1.0}
