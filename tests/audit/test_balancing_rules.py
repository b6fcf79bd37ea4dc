"""How the audit judges the chains that spread connections: IPT201 to IPT208."""

from __future__ import annotations

import re

import pytest

from ipt_explain import explain, parse
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.netfilter.probability import SCALE, stored
from tests.audit.edits import captured, changed, finding
from tests.audit.helpers import findings_of, fired

SVC = "KUBE-SVC-NPX46M4PTMTKRN6Y"


def sep(number: int) -> str:
    return f"KUBE-SEP-{chr(65 + number) * 16}"


def rule(number: int, probability: str | None = None, chain: str = SVC) -> str:
    chance = "" if probability is None else f" -m statistic --mode random --probability {probability}"
    return f"-A {chain}{chance} -j {sep(number)}"


def dump(*rules: str, endpoints: int = 3) -> str:
    """A complete dump with one Service and the given rules in its chain."""
    chains = [f":{sep(number)} - [0:0]" for number in range(endpoints)]
    seps = [
        line
        for number in range(endpoints)
        for line in (
            f"-A {sep(number)} -s 10.244.0.{number + 1}/32 -j KUBE-MARK-MASQ",
            f"-A {sep(number)} -p tcp -m tcp -j DNAT --to-destination 10.244.0.{number + 1}:80",
        )
    ]
    front = f"-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j {SVC}"
    built_in = [":PREROUTING ACCEPT [0:0]", ":KUBE-SERVICES - [0:0]", ":KUBE-MARK-MASQ - [0:0]", f":{SVC} - [0:0]"]
    return "\n".join(["*nat", *built_in, *chains, "-A PREROUTING -j KUBE-SERVICES", front, *seps, *rules, "COMMIT", ""])


@pytest.mark.parametrize("count", [1, 2, 3, 7, 100, 1000])
@pytest.mark.parametrize("digits", [5, 10])
def test_both_roundings_of_kube_proxy_are_even(count: int, digits: int) -> None:
    rules = [
        f"-A {SVC} -m statistic --mode random --probability {stored(f'{1 / left:.{digits}f}') / SCALE:.11f} "
        f"-j KUBE-SEP-{left:016}"
        for left in range(count, 1, -1)
    ]
    text = "\n".join([*rules, f"-A {SVC} -j KUBE-SEP-{0:016}", ""])
    assert not {"IPT201", "IPT202", "IPT203", "IPT204"} & fired(text)


def test_restore_input_has_the_same_shares_unrounded() -> None:
    assert "IPT201" not in fired("\n".join([rule(0, "0.3333333333"), rule(1, "0.5000000000"), rule(2), ""]))


def test_uneven_shares_are_told_in_numbers() -> None:
    (finding,) = findings_of("IPT201", dump(rule(0, "0.50000000000"), rule(1, "0.50000000000"), rule(2)))
    assert "10.244.0.1:80 50 %" in finding.message
    assert "10.244.0.3:80 25 %" in finding.message
    assert "1.5 times its share" in finding.message
    assert "--probability 0.50000000000" in finding.excerpt and finding.chain == SVC


def test_a_negated_probability_is_told_as_such() -> None:
    negated = rule(0, "0.33333333349").replace("--probability", "! --probability")
    (finding,) = findings_of("IPT201", dump(negated, rule(1, "0.50000000000"), rule(2)))
    assert "10.244.0.1:80 has probability ! 0.33333333349 with 3 endpoints left" in finding.message


def test_a_line_that_is_missing_from_a_dump_shows_in_the_shares() -> None:
    (finding,) = findings_of("IPT201", dump(rule(0, "0.33333333349"), rule(2)))
    assert "10.244.0.1:80 has probability 0.33333333349 with 2 endpoints left" in finding.message


def test_lines_that_a_fragment_lacks_are_not_held_against_it() -> None:
    assert not {"IPT201", "IPT202"} & fired("\n".join([rule(0, "0.33333333349"), rule(2), ""]))
    assert not {"IPT201", "IPT202"} & fired(rule(0, "0.25000000000") + "\n")


def test_what_no_missing_line_explains_is_told_of_fragments_too() -> None:
    assert "IPT201" in fired("\n".join([rule(0, "0.90000000000"), rule(1), ""]))


def test_a_leak_is_told_with_its_size() -> None:
    (finding,) = findings_of("IPT202", dump(rule(0, "0.33333333349"), rule(1, "0.50000000000")))
    assert finding.message.startswith("33.3")
    assert finding.severity is Severity.ERROR and "IPT201" not in fired(dump(rule(0, "0.5"), endpoints=1))


def test_a_return_ahead_of_the_endpoints_is_the_leak() -> None:
    (finding,) = findings_of("IPT202", dump(f"-A {SVC} -j RETURN", rule(0, "0.50000000000"), rule(1)))
    assert finding.message.startswith("all new connections") and finding.excerpt.endswith("RETURN")


def test_a_chain_without_endpoints_leaks_everything() -> None:
    (finding,) = findings_of("IPT202", "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n" + dump(endpoints=0))
    assert finding.chain == SVC and "10.96.0.1:443" in finding.message
    assert "IPT202" not in fired(dump(endpoints=0)), "the filter table, which may refuse, is not in the text"


def test_an_endpoint_that_only_returning_clients_reach() -> None:
    check = f"-A {SVC} -m recent --rcheck --seconds 60 --reap --name {sep(1)} --rsource -j {sep(1)}"
    later = "*filter\n:INPUT ACCEPT [0:0]\n:KUBE-PROXY-FIREWALL - [0:0]\nCOMMIT\n"
    (finding,) = findings_of("IPT203", later + dump(check, rule(0), endpoints=2))
    assert "10.244.0.2:80 gets returning clients" in finding.message and finding.severity is Severity.WARNING
    assert "IPT203" not in fired(dump(check, rule(0), endpoints=2)), "1.22 writes them for endpoints that are not ready"


@pytest.mark.parametrize(
    ("broken", "rule_id", "share"), [(2, "IPT202", "50 %"), (1, "IPT203", "endpoints after it")]
)
def test_an_endpoint_without_dnat_leaks_only_what_no_later_one_takes(broken: int, rule_id: str, share: str) -> None:
    text = dump(rule(0, "0.50000000000"), rule(1), endpoints=2)
    lines = [line for line in text.splitlines() if f"10.244.0.{broken}:80" not in line]
    (finding,) = findings_of(rule_id, "\n".join(lines) + "\n")
    assert share in finding.message and finding.chain == sep(broken - 1)
    assert ("IPT202" in fired("\n".join(lines) + "\n")) is (rule_id == "IPT202")


@pytest.mark.parametrize("chance", ["0.00000000000", "1.00000000000", None])
def test_endpoints_that_get_nothing_are_named(chance: str | None) -> None:
    (finding,) = findings_of("IPT203", dump(rule(0, chance), rule(1), endpoints=2))
    dead = "10.244.0.1:80" if chance == "0.00000000000" else "10.244.0.2:80"
    assert f"{dead} gets no connection" in finding.message
    assert "IPT201" not in fired(dump(rule(0, chance), rule(1), endpoints=2))


@pytest.mark.parametrize("rules", [(rule(0, "0.50000000000"), rule(1), rule(1)), (rule(0), rule(0, "0.50000000000"))])
def test_a_rule_written_twice_cuts_no_endpoint_off(rules: tuple[str, ...]) -> None:
    (finding,) = findings_of("IPT203", dump(*rules, endpoints=2))
    assert finding.severity is Severity.WARNING
    assert "a rule that gets none repeats what other rules do, so no endpoint is cut off" in finding.message


def test_shares_of_nothing_are_not_at_most_nothing() -> None:
    rules = [f"-A {SVC} -j {sep(number)}" for number in range(6)]
    (finding,) = findings_of("IPT203", dump(*rules, endpoints=6))
    assert "2 more with 0 %)" in finding.message


def test_an_endpoint_that_stands_twice_gets_twice_its_share() -> None:
    (finding,) = findings_of("IPT204", dump(rule(0, "0.33333333349"), rule(0, "0.50000000000"), rule(1)))
    assert "10.244.0.1:80 appears 2 times" in finding.message and "66.67 %" in finding.message


def test_nothing_is_said_of_shares_where_two_pastes_leave_the_order_open() -> None:
    before = [rule(0, "0.50000000000"), rule(1)]
    after = [rule(0, "0.33333333349"), rule(1, "0.50000000000"), rule(2)]
    text = "\n".join(["$ iptables-save | grep SVC", *before, "$ iptables-save | grep SVC", *after, ""])
    assert not {"IPT201", "IPT203", "IPT204"} & fired(text)


def test_counting_instead_of_chance() -> None:
    count = f"-A {SVC} -m statistic --mode nth --every 3 --packet 0 -j {sep(0)}"
    (finding,) = findings_of("IPT205", dump(count, rule(1)))
    assert "33.3" in finding.message
    assert not {"IPT201", "IPT202"} & fired(dump(count, rule(1)))


def test_a_share_that_leads_to_another_service() -> None:
    stray = f"-A {SVC} -m statistic --mode random --probability 0.50000000000 -j KUBE-SVC-TCOU7JCQXEZGVUNU"
    (finding,) = findings_of("IPT206", "\n".join([stray, rule(1), ""]))
    assert finding.message.startswith("50 %")
    assert finding.columns is not None
    start, end = finding.columns
    assert finding.excerpt[start - 1 : end - 1] == "KUBE-SVC-TCOU7JCQXEZGVUNU"


def test_a_share_that_leads_straight_to_an_address() -> None:
    stray = f"-A {SVC} -p tcp -m statistic --mode random --probability 0.50000000000 -j DNAT --to-destination 10.9.9.9:80"
    text = "\n".join([stray, rule(1), ""])
    (finding,) = findings_of("IPT206", text)
    assert finding.message.startswith("50 % of new connections go straight to 10.9.9.9:80")
    assert not {"IPT401", "IPT402", "IPT403"} & fired(text)


def test_two_precisions_need_two_writers() -> None:
    other = "KUBE-SVC-TCOU7JCQXEZGVUNU"
    five = [rule(0, "0.33332999982"), rule(1, "0.50000000000"), rule(2)]
    ten = [rule(3, "0.33333333349", other), rule(4, "0.50000000000", other), rule(5, None, other)]
    assert "IPT208" in fired("\n".join([*five, *ten, ""]))
    assert "IPT208" not in fired("\n".join([*five, ""]))


def test_a_negated_chance_that_is_even_is_not_uneven() -> None:
    node = captured("1.30", "basic")
    negated = node.replace("--mode random --probability 0.5", "--mode random ! --probability 0.5")
    assert negated != node
    assert "IPT201" not in fired(negated)


DNS = "KUBE-SVC-TCOU7JCQXEZGVUNU"
LAST = "KUBE-SEP-EJJ3L23ZA35VLW6X"


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        (f" -j {LAST}", f" -m statistic --mode random --probability 0.5 -j {LAST}", f"-A {DNS} .*-j {LAST}"),
        (f"-A {DNS} .* -j {LAST}\n", "", f"-A {DNS} .*-j KUBE-SEP-Z6M7"),
        (f" -j {LAST}", f" -p tcp -j {LAST}", f"-A {DNS} .*-j {LAST}"),
        (f"(?=-A {DNS} )", f"-A {DNS} -j RETURN\n", f"-A {DNS} -j RETURN"),
        (f"(-A {DNS} .* -j {LAST})", rf"\1 -m statistic --mode random --probability 0.5\n-A {DNS} -j LOG", f"-A {DNS} .*-j {LAST}"),
        (f"-A {LAST} .*DNAT.*\n", "", f":{LAST} "),
        (f"(?m)^-A {DNS} .*\n", "", f":{DNS} "),
    ],
)  # fmt: skip
def test_explain_and_audit_name_the_same_line_of_a_leak(old: str, new: str, shown: str) -> None:
    """Trace takes its line from the fates that explain shows."""
    text = captured("1.30", "basic")
    damaged = re.sub(old, new, text, count=0 if "(?m)" in old else 1)
    (dns,) = [each for each in explain(parse(damaged)).services if each.label == "kube-system/kube-dns:dns"]
    fates = [fate for frontend in dns.frontends for _, fate in (frontend.fates or {}).items()]
    lines = {lost.decider.line for fate in fates for lost in fate.lost}
    (finding,) = findings_of("IPT202", damaged)
    assert lines == {finding.line}
    assert re.match(shown, damaged.splitlines()[(finding.line or 0) - 1])


def test_a_local_chain_that_leads_everybody_to_all_endpoints() -> None:
    node = captured("1.22", "policy")
    chain = "-A KUBE-XLB-7AZ64RN3BZ2QJCPH"
    text = changed(node, "-m addrtype --src-type LOCAL ", "", chain, "--src-type LOCAL -j KUBE-SVC-")
    found = finding("IPT203", text, node)
    assert found.severity is Severity.WARNING
    assert "it leads to all endpoints (KUBE-SVC-7AZ64RN3BZ2QJCPH)" in found.message
