"""A node with a chain for each pod's interface, as Calico writes: which interface it is does not matter where all come to
the same, and is named where not."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_explain.netfilter.assumptions import Assumption, InterfaceChoice, choice, condensed, joined_choices
from ipt_explain.records import replace
from tests.trace.helpers import POD, go

ANYWHERE = replace(POD, in_interface=None)


def _node(does: list[str], leaving: list[str] = []) -> str:  # noqa: B006, it is only read
    """Rules that choose by the interface that a packet comes in by, then by the one it leaves by."""
    lines = ["filter -A FORWARD -i cali+ -j FROM", "filter -A FORWARD -o cali+ -j TO"]
    for chain, flag, targets in (("FROM", "-i", does), ("TO", "-o", leaving or ["RETURN"])):
        for number, target in enumerate(targets):
            lines.append(f"filter -A {chain} {flag} cali{number} -g {chain}-{number}")
            lines.append(f"filter -A {chain}-{number} -j {target}")
        lines.append(f"filter -A {chain} -j DROP")
    return "\n".join(lines)


@given(st.lists(st.sampled_from(["RETURN", "DROP", "MARK --set-xmark 0x1/0x1"]), min_size=1, max_size=9))
@settings(max_examples=40)
def test_what_is_said_of_many_is_true_of_each(does: list[str]) -> None:
    rules = _node(does)
    told = go(rules, ANYWHERE)
    assert sum(outcome.exact for outcome in told.outcomes) == 1
    for number in range(len(does)):
        alone = go(rules, replace(POD, in_interface=f"cali{number}"))
        (verdict,) = {outcome.verdict for outcome in alone.outcomes}
        assert {
            outcome.verdict
            for outcome in told.outcomes
            for answers in {ending.state.answers for ending in outcome.endings}
            if _may_be(answers, f"cali{number}")
        } == {verdict}


def _may_be(answers: tuple[Assumption, ...], interface: str) -> bool:
    told = [each for each in answers if each.flag == "-i "]
    if any("-i cali+" in each.question and not each.affirmed for each in answers):
        return False
    return all(interface in each.chosen if each.chosen else interface not in each.excluded for each in told)


def test_a_hundred_pods_are_one_question_each_way() -> None:
    pods = ["MARK --set-xmark 0x1/0x1"] * 100
    told = go(_node(pods, ["RETURN"] * 100), ANYWHERE, out=None)
    assert {outcome.verdict for outcome in told.outcomes} == {"ACCEPT", "DROP"}
    assert told.warnings == ()
    questions = {text for outcome in told.outcomes for text in outcome.assumptions}
    assert "-i cali0, cali1 or 98 more=yes" in questions
    assert "-o cali0, cali1 or 98 more=yes" in questions
    assert len(told.outcomes) < 12


def test_an_interface_with_another_outcome_is_named() -> None:
    pods = ["RETURN", "RETURN", "DROP", "RETURN", "RETURN"]
    found = {
        (outcome.verdict, outcome.assumptions): outcome.probability_if_so
        for outcome in go(_node(pods), ANYWHERE).outcomes
    }
    assert found["ACCEPT", ("-i cali+=yes", "-i cali0, cali1 or 2 more=yes")] == pytest.approx(1)
    assert any(verdict == "DROP" and "-i cali2=yes" in assumed for verdict, assumed in found)


def test_a_pod_that_loses_some_is_not_lumped_with_those_that_lose_none() -> None:
    pods = ["RETURN"] * 5
    rules = _node(pods).splitlines()
    half = "filter -A FROM-2 -m statistic --mode random --probability 0.5 -j DROP"
    rules.insert(rules.index("filter -A FROM-2 -j RETURN"), half)
    found = {
        (outcome.verdict, outcome.assumptions): outcome.probability_if_so
        for outcome in go("\n".join(rules), ANYWHERE).outcomes
    }
    assert found["ACCEPT", ("-i cali+=yes", "-i cali0, cali1 or 2 more=yes")] == 1
    assert found["DROP", ("-i cali+=yes", "-i cali0=no", "-i cali1=no", "-i cali2=yes")] == 0.5


def test_one_of_many_can_be_singled_out_later() -> None:
    later = "filter -A FORWARD -j MARK --set-xmark 0x2/0x2\nfilter -A FORWARD -i cali3 -j DROP\nfilter -A FORWARD -i eth0 -j DROP"
    told = {(outcome.verdict, outcome.assumptions) for outcome in go(f"{_node(['RETURN'] * 5)}\n{later}", ANYWHERE).outcomes}
    many = ("-i cali+=yes", "-i cali0, cali1 or 3 more=yes")
    assert told == {
        ("ACCEPT", (*many, "-i cali3=no")),
        ("DROP", (*many, "-i cali3=yes")),
        ("DROP", ("-i cali+=yes", "-i cali0, cali1 or 3 more=no")),
        ("ACCEPT", ("-i cali+=no", "-i eth0=no")),
        ("DROP", ("-i cali+=no", "-i eth0=yes")),
    }


def _yes(name: str) -> Assumption:
    return Assumption(((f"-i {name}", True),), True)


def test_choices_are_joined_without_the_obvious() -> None:
    other = Assumption((("-m set --match-set a src", True),), False)
    second = choice((other, _yes("a").opposite, _yes("b")))
    assert second == InterfaceChoice(("b",), "-i ", 1, (other,), (_yes("b"), _yes("a").opposite))
    assert second.share == Fraction(1, 4)
    first = choice((other, _yes("a")))
    assert first is not None
    (kept, one) = joined_choices([first, second])
    assert kept is other
    assert (one.chosen, one.share, one.question, str(one)) == (("a", "b"), Fraction(3, 4), "-i a or b", "-i a or b")
    assert (one.opposite.share, str(one.opposite)) == (Fraction(1, 4), "not -i a or b")


def test_many_excluded_choices_become_one() -> None:
    several = tuple(_yes(name).opposite for name in "abcd")
    assert condensed(several[:3]) == several[:3]
    (one,) = condensed(several)
    assert (one.excluded, one.share, str(one)) == (tuple("abcd"), Fraction(1, 16), "not -i a, b or 2 more")
