"""What a dump cannot decide: it splits the outcome by name, or a user decides it."""

from __future__ import annotations

import pytest

import ipt_explain
from ipt_explain.errors import UsageError
from ipt_explain.records import replace
from ipt_explain.trace import Packet, trace
from tests.trace.helpers import NODE, POD, go, only, shares

SET = "filter -A FORWARD -m set --match-set blocked src -j DROP"
QUESTION = "-m set --match-set blocked src (src 10.244.1.5,tcp:?)"


def test_an_unknown_match_splits_the_outcome_by_name() -> None:
    told = go(SET)
    assert {outcome.verdict: outcome.assumptions for outcome in told.outcomes} == {
        "ACCEPT": (f"{QUESTION}=no",),
        "DROP": (f"{QUESTION}=yes",),
    }
    assert [outcome.probability for outcome in told.outcomes] == [0.5, 0.5]
    assert [outcome.probability_if_so for outcome in told.outcomes] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("assumed", "verdict"), [("blocked=yes", "DROP"), ("blocked=no", "ACCEPT"), (f"{QUESTION}=yes", "DROP")]
)
def test_a_user_decides_by_words_from_the_match(assumed: str, verdict: str) -> None:
    told = go(SET, assume=[assumed])
    assert only(told)[0] == verdict
    assert told.outcomes[0].assumptions == ()


def test_negation_turns_the_answer_and_not_the_question() -> None:
    assert only(go(SET.replace("-m set", "-m set !"), assume=["blocked=yes"]))[0] == "ACCEPT"
    rule = "filter -A FORWARD -m length ! --length 0:100 -j DROP"
    assert [only(go(rule, assume=[f"-m length --length 0:100={each}"]))[0] for each in ("yes", "no")] == ["ACCEPT", "DROP"]


def test_a_question_is_answered_the_same_way_each_time() -> None:
    rules = f"{SET.replace('-j DROP', '-j MARK --set-xmark 0x1/0x1')}\n{SET.replace('-m set', '-m set !').replace('DROP', 'A')}\nfilter -A A -m mark --mark 0x1 -j DROP"
    assert shares(go(rules)) == {("ACCEPT", None, False): 1.0}


def test_a_question_that_does_not_matter_is_not_named() -> None:
    told = go("filter -A FORWARD -m set --match-set blocked src -j A\nfilter -A A -p udp -j DROP")
    assert [(outcome.verdict, outcome.assumptions) for outcome in told.outcomes] == [("ACCEPT", ())]


def test_owners_are_unknown_for_the_node_and_absent_for_others() -> None:
    rules = "filter -A OUTPUT -m owner --uid-owner 1000 -j DROP\nmangle -A POSTROUTING -m owner ! --uid-owner 0 -j DROP"
    from_node = go(rules, Packet(NODE, "10.96.0.10", "tcp", 80, entry="output"))
    assert "-m owner --uid-owner 1000=yes" in {text for outcome in from_node.outcomes for text in outcome.assumptions}
    assert only(go(rules))[0] == "DROP"


def test_a_rule_that_asks_for_both_answers_matches_nothing() -> None:
    assert only(go(SET.replace("-j DROP", "-m set ! --match-set blocked src -j DROP")))[0] == "ACCEPT"


def test_what_is_forwarded_does_not_use_lo() -> None:
    unknown = replace(POD, in_interface=None)
    assert only(go("filter -A FORWARD -i lo -j DROP\nfilter -A FORWARD -o lo -j DROP", unknown, out=None))[0] == "ACCEPT"
    assert only(go("filter -A FORWARD ! -i lo -j DROP", unknown))[0] == "DROP"


def test_an_unknown_interface_is_an_open_question() -> None:
    told = go("filter -A FORWARD -i cni0 -j DROP", replace(POD, in_interface=None))
    assert {outcome.assumptions for outcome in told.outcomes} == {("-i cni0=yes",), ("-i cni0=no",)}


def test_unknown_node_addresses_are_an_open_question() -> None:
    told = go("nat -A PREROUTING -m addrtype --dst-type LOCAL -j DNAT --to-destination 10.0.0.1", local=())
    assert {outcome.assumptions: outcome.dnat for outcome in told.outcomes} == {
        ("10.96.0.10 is an address of this node=yes",): "10.0.0.1:80",
        ("10.96.0.10 is an address of this node=no",): None,
    }


def test_a_destination_chosen_by_nat_is_not_local_by_default() -> None:
    rules = "nat -A PREROUTING -j DNAT --to-destination 10.0.0.9\nfilter -A INPUT -j DROP"
    assert only(go(rules, local=()))[0] == "ACCEPT"
    assert only(go(rules, local=["10.0.0.9"]))[0] == "DROP"


def test_limits_of_two_rules_are_two_questions() -> None:
    told = go("filter -A FORWARD -m limit --limit 5/min -j DROP\nfilter -A FORWARD -m limit --limit 5/min -j REJECT")
    assert sorted(outcome.verdict for outcome in told.outcomes) == ["ACCEPT", "DROP", "REJECT"]


def test_a_fragments_missing_chain_is_unknown_and_named() -> None:
    fragment = "-A PREROUTING -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-X\n"
    told = trace(ipt_explain.parse(fragment), POD, [NODE])
    assert [outcome.verdict for outcome in told.outcomes] == ["UNKNOWN"]
    assert "chain KUBE-SVC-X of table nat, which this input does not show" in told.outcomes[0].assumptions


def test_a_fragments_missing_hooks_are_assumed_empty_by_name() -> None:
    fragment = "-A PREROUTING -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8080\n"
    told = trace(ipt_explain.parse(fragment), POD, [NODE])
    assert only(told) == ("ACCEPT", "10.0.0.1:8080", False)
    assert "filter FORWARD, which this input does not show, is empty" in told.outcomes[0].assumptions


@pytest.mark.parametrize("text", ["blocked", "blocked=maybe", "=yes"])
def test_an_invalid_assumption_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        go(SET, assume=[text])


@pytest.mark.parametrize(
    "packet",
    [
        replace(POD, source="fd00::1"),
        replace(POD, source="here"),
        replace(POD, destination="10.96.0.300"),
        replace(POD, protocol="carrier-pigeon"),
        replace(POD, port=70000),
        replace(POD, entry="input"),
        Packet("fd00::1", "fd00::2"),
    ],
)
def test_an_impossible_packet_is_refused(packet: Packet) -> None:
    with pytest.raises(UsageError):
        go(SET, packet)


def test_a_fragment_is_assumed_to_be_called() -> None:
    fragment = """
        -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-X
        -A KUBE-SVC-X -m statistic --mode random --probability 0.5 -j KUBE-SEP-A
        -A KUBE-SVC-X -j KUBE-SEP-B
        -A KUBE-SEP-A -p tcp -m tcp -j DNAT --to-destination 10.0.0.1:8080
    """
    told = trace(ipt_explain.parse(fragment.replace("\n        ", "\n")), POD, [NODE])
    assert shares(told) == {("ACCEPT", "10.0.0.1:8080", False): 0.5, ("UNKNOWN", None, False): 0.5}
    supposed = "nat PREROUTING, which this input does not show, leads to KUBE-SERVICES"
    assert all(supposed in outcome.assumptions for outcome in told.outcomes)


def test_questions_of_one_rule_are_joined_and_stay_consistent() -> None:
    both = "-m set --match-set a src -m set --match-set b src"
    rules = f"""
        filter -A FORWARD {both} -j MARK --set-xmark 0x1/0x1
        filter -A FORWARD -m mark ! --mark 0x1 {both} -j REJECT
        filter -A FORWARD -m mark --mark 0x1 -m set ! --match-set b src -j REJECT
        filter -A FORWARD -m mark --mark 0x1 -j DROP
    """
    told = go(rules)
    assert {outcome.verdict: outcome.probability_if_so for outcome in told.outcomes} == {"DROP": 1.0, "ACCEPT": 1.0}
    assert all(len(outcome.assumptions) == 1 and " and " in outcome.assumptions[0] for outcome in told.outcomes)


def test_interfaces_that_match_a_pattern_may_differ() -> None:
    rules = "filter -A FORWARD ! -i eth+ -j DROP\nfilter -A FORWARD -i eth0 -j REJECT"
    told = go(rules, replace(POD, in_interface=None))
    assert {outcome.verdict: set(outcome.assumptions) for outcome in told.outcomes} == {
        "DROP": {"-i eth+=no"},
        "REJECT": {"-i eth+=yes", "-i eth0=yes"},
        "ACCEPT": {"-i eth+=yes", "-i eth0=no"},
    }


def test_a_question_that_only_changes_shares_matters() -> None:
    chance = "-m statistic --mode random --probability 0.25000000000"
    told = go(f"mangle -A PREROUTING -i eth0 {chance} -j DROP", replace(POD, in_interface=None))
    accepted = {outcome.assumptions: outcome.probability_if_so for outcome in told.outcomes if outcome.verdict == "ACCEPT"}
    assert accepted == {("-i eth0=yes",): 0.75, ("-i eth0=no",): 1.0}
