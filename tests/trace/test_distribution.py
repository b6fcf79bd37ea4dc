"""Chances: exact where they can be, summing to 1, and never by following paths one by one."""

from __future__ import annotations

import json

import pytest

from ipt_explain.netfilter.probability import stored
from ipt_explain.render.trace.text import trace_text
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


def test_connections_without_endpoint_leak() -> None:
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


def test_rules_that_drop_have_each_its_share() -> None:
    rules = """
        nat -A PREROUTING -m statistic --mode random --probability 0.25 -j DNAT --to-destination 10.0.0.1
        nat -A PREROUTING -j DNAT --to-destination 10.0.0.2
        filter -A FORWARD -d 10.0.0.1 -j DROP
        filter -A FORWARD -m statistic --mode random --probability 0.5 -j DROP
        filter -A FORWARD -j A
        filter -A A -j DROP
    """
    told = go(rules)
    (outcome,) = told.outcomes
    shares_of = {ending.steps[-1].text: ending.share for ending in outcome.endings}
    assert shares_of == {
        "-A FORWARD -d 10.0.0.1 -j DROP": 0.25,
        "-A FORWARD -m statistic --mode random --probability 0.5 -j DROP": 0.375,
        "-A A -j DROP": 0.375,
    }
    (written,) = json.loads(told.to_json())["outcomes"]
    assert [branch["probability"] for branch in written["branches"]] == [0.375, 0.375, 0.25]
    text = "".join(trace_text(told, "", None, None, verbose=False, width=80, color=False))
    for line in (
        "├─ 25.00 %  DNAT to 10.0.0.1:80", "└─ 75.00 %  DNAT to 10.0.0.2:80", "├─ 25.00 %  goes to 10.0.0.1: DROP",
        "├─ 37.50 %  DROP", "└─ 37.50 %  → A",
    ):  # fmt: skip
        assert line in text


def test_the_text_of_the_deepest_path() -> None:
    deep = [f"nat -A L{depth} -j L{depth + 1}" for depth in range(1500)]
    told = go("\n".join(["nat -A PREROUTING -j L0", *deep, "nat -A L1500 -j DNAT --to-destination 10.0.0.1:80"]))
    text = "".join(trace_text(told, "", None, None, verbose=True, width=80, color=False))
    assert text.count("→ L") == 1501
    assert text.endswith("✓ 100 %  10.0.0.1:80: accepted, source kept\n")


@pytest.mark.parametrize("match", ["-m statistic --mode random --probability 0.3", "-m limit --limit {}/sec"])
def test_states_that_double_with_each_rule_are_given_up_early(match: str) -> None:
    lines = [f"filter -A FORWARD {match.format(n + 1)} -j MARK --xor-mark {1 << n % 31}" for n in range(2000)]
    told = go("\n".join(lines))
    assert [outcome.verdict for outcome in told.outcomes] == ["UNKNOWN"]
    assert told.warnings == ("not followed: too many different packets to follow each",)


NTH = "-m statistic --mode nth --every {} --packet 0"


def test_counters_of_two_rules_that_the_same_packets_reach_are_unknown_together() -> None:
    rules = f"""
        mangle -A PREROUTING {NTH.format(2)} -j MARK --set-xmark 0x1/0x1
        mangle -A PREROUTING {NTH.format(3)} -j MARK --set-xmark 0x2/0x2
        filter -A FORWARD -m mark --mark 0x3 -j DROP
    """
    told = go(rules)
    question = f"{NTH.format(3)} (line 9)"
    found = {(outcome.verdict, outcome.assumptions): outcome.probability_if_so for outcome in told.outcomes}
    assert found == {
        ("DROP", (f"{question}=yes",)): 0.5,
        ("ACCEPT", (f"{question}=yes",)): 0.5,
        ("ACCEPT", (f"{question}=no",)): 1.0,
    }


def test_a_counter_alone_is_exact_whatever_came_before() -> None:
    nested = f"""
        nat -A PREROUTING {NTH.format(2)} -j A
        nat -A PREROUTING -j DNAT --to-destination 10.0.0.1:80
        nat -A A {NTH.format(4)} -j DNAT --to-destination 10.0.0.2:80
        nat -A A -j DNAT --to-destination 10.0.0.3:80
    """
    assert shares(go(nested)) == {_dnat(1): 1 / 2, _dnat(2): 1 / 8, _dnat(3): 3 / 8}
    without_trace = "\n".join(f"mangle -A FORWARD {NTH.format(n + 2)} -j LOG" for n in range(40))
    last = f"filter -A FORWARD {NTH.format(5)} -j DROP"
    assert shares(go(f"{without_trace}\n{last}")) == {("DROP", None, False): 1 / 5, ("ACCEPT", None, False): 4 / 5}


def test_a_second_counter_is_open_if_packets_show_the_first_ones_choice() -> None:
    rules = f"""
        nat -A PREROUTING {NTH.format(2)} -j DNAT --to-destination 10.0.0.1:80
        nat -A PREROUTING -j DNAT --to-destination 10.0.0.2:80
        filter -A FORWARD {NTH.format(2)} -j DROP
    """
    assert {outcome.assumptions for outcome in go(rules).outcomes} == {
        (f"{NTH.format(2)} (line 14)=yes",), (f"{NTH.format(2)} (line 14)=no",),
    }  # fmt: skip
