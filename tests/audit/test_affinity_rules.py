"""How the audit judges session affinity: IPT301 to IPT309."""

from __future__ import annotations

import pytest

from ipt_explain.audit.findings.severity import Severity
from tests.audit.helpers import findings_of, fired
from tests.kube_corpus import scenario

SVC = "KUBE-SVC-NPX46M4PTMTKRN6Y"
A, B = "KUBE-SEP-AAAAAAAAAAAAAAAA", "KUBE-SEP-BBBBBBBBBBBBBBBB"
MASK = "--mask 255.255.255.255 --rsource"


def check(target: str, name: str = "", seconds: int = 10800, options: str = "--reap", mask: str = MASK) -> str:
    return f"-A {SVC} -m recent --rcheck --seconds {seconds} {options} --name {name or target} {mask} -j {target}"


def dnat(chain: str, address: str, name: str = "") -> list[str]:
    record = f"-m recent --set --name {name} {MASK} " if name else ""
    return [
        f"-A {chain} -s {address}/32 -j KUBE-MARK-MASQ",
        f"-A {chain} -p tcp {record}-m tcp -j DNAT --to-destination {address}:80",
    ]


CHECKS = [check(A), check(B)]
BALANCE = [f"-A {SVC} -m statistic --mode random --probability 0.50000000000 -j {A}", f"-A {SVC} -j {B}"]
RECORDS = [*dnat(A, "10.0.0.1", A), *dnat(B, "10.0.0.2", B)]


def dump(*rules: str) -> str:
    chains = ["PREROUTING ACCEPT", "KUBE-MARK-MASQ -", f"{SVC} -", f"{A} -", f"{B} -"]
    return "\n".join(["*nat", *(f":{chain} [0:0]" for chain in chains), *rules, "COMMIT", ""])


def faults(*rules: str) -> set[str]:
    return {name for name in fired(dump(*rules)) if name.startswith("IPT3")}


def test_what_kube_proxy_writes_has_one_note() -> None:
    assert faults(*RECORDS, *CHECKS, *BALANCE) == {"IPT309"}
    (note,) = findings_of("IPT309", dump(*RECORDS, *CHECKS, *BALANCE))
    assert note.message.startswith("1 service port has session affinity, which remembers 100 clients per endpoint")


def test_clients_that_nobody_records() -> None:
    (finding,) = findings_of("IPT301", dump(*dnat(A, "10.0.0.1"), *dnat(B, "10.0.0.2", B), *CHECKS, *BALANCE))
    assert finding.chain == A and "10.0.0.1:80" in finding.message


def test_local_chains_look_clients_up_since_110() -> None:
    text = scenario("1.22", "policy").ipv4
    kept = [line for line in text.splitlines() if not (line.startswith("-A KUBE-XLB-") and "--rcheck" in line)]
    (finding,) = findings_of("IPT302", "\n".join([*kept, ""]))
    assert finding.chain is not None and finding.chain.startswith("KUBE-XLB-")
    assert " record clients for session affinity, but this chain does not look up returning ones" in finding.message


def test_records_that_nobody_looks_at() -> None:
    (finding,) = findings_of("IPT302", dump(*RECORDS, *BALANCE))
    assert "10.0.0.1:80 and 10.0.0.2:80 record" in finding.message
    assert "IPT302" not in fired("\n".join([*RECORDS, *BALANCE, ""])), "a fragment may lack the checks"


def test_lists_of_other_endpoints() -> None:
    (finding,) = findings_of("IPT303", dump(*RECORDS, check(A, B), check(B), *BALANCE))
    assert "the list of 10.0.0.2:80" in finding.message
    (finding,) = findings_of("IPT303", dump(*dnat(A, "10.0.0.1", B), *dnat(B, "10.0.0.2", B), *CHECKS, *BALANCE))
    assert finding.chain == A


def test_checks_behind_balancing_are_told_how_many_clients_they_miss() -> None:
    (finding,) = findings_of("IPT304", dump(*RECORDS, check(B), BALANCE[0], check(A), BALANCE[1]))
    assert "only 50 %" in finding.message
    (finding,) = findings_of("IPT304", dump(*RECORDS, check(B), *BALANCE, check(A)))
    assert "none of them" in finding.message


def test_endpoints_that_are_left_out() -> None:
    (finding,) = findings_of("IPT305", dump(*RECORDS, check(A), *BALANCE))
    assert "10.0.0.2:80" in finding.message
    assert "IPT305" not in fired("\n".join([*RECORDS, check(A), *BALANCE, ""]))


def test_timeouts_of_one_service() -> None:
    (finding,) = findings_of("IPT306", dump(*RECORDS, check(A), check(B, seconds=60), *BALANCE))
    assert "60 s" in finding.message and "10800 s" in finding.message


@pytest.mark.parametrize(
    ("seconds", "severity"), [(0, Severity.WARNING), (86401, Severity.WARNING), (180, Severity.INFO)]
)
def test_timeouts_that_no_service_has(seconds: int, severity: Severity) -> None:
    checks = [check(A, seconds=seconds), check(B, seconds=seconds)]
    (finding,) = findings_of("IPT307", dump(*RECORDS, *checks, *BALANCE))
    assert finding.severity is severity and str(seconds) in finding.message


@pytest.mark.parametrize("seconds", [1, 10800, 86400])
def test_timeouts_that_a_service_may_have(seconds: int) -> None:
    assert faults(*RECORDS, check(A, seconds=seconds), check(B, seconds=seconds), *BALANCE) == {"IPT309"}


@pytest.mark.parametrize(
    ("options", "mask", "word"),
    [
        ("--reap --hitcount 3", MASK, "--hitcount"),
        ("", MASK, "--reap"),
        ("--reap", "--mask 255.255.255.0 --rsource", "--mask 255.255.255.0"),
        ("--reap", "--mask 255.255.255.255 --rdest", "--rdest"),
    ],
)
def test_options_that_kube_proxy_does_not_write(options: str, mask: str, word: str) -> None:
    odd = check(A, options=options, mask=mask)
    (finding,) = findings_of("IPT308", dump(*RECORDS, odd, check(B), *BALANCE))
    assert word in finding.message


@pytest.mark.parametrize(
    ("lists", "severity", "words"),
    [
        (("other", B), Severity.WARNING, "its rules look there, too, so they are found"),
        ((B, B), Severity.ERROR, "sent to the first one that looks there"),
        (("all", "all"), Severity.ERROR, "sent to the first one that looks there"),
    ],
)
def test_a_list_of_another_name_loses_clients_only_if_shared(
    lists: tuple[str, str], severity: Severity, words: str
) -> None:
    one, other = lists
    records = [*dnat(A, "10.0.0.1", one), *dnat(B, "10.0.0.2", other)]
    found = findings_of("IPT303", dump(*records, check(A, one), check(B, other), *BALANCE))
    assert {each.severity for each in found} == {severity}
    assert all(words in each.message for each in found)


def test_returning_clients_that_a_rule_sends_to_no_endpoint() -> None:
    (found,) = findings_of("IPT303", dump(*RECORDS, check("KUBE-MARK-MASQ", A), check(B), *BALANCE))
    assert found.message == "returning clients of 10.0.0.1:80 are sent to KUBE-MARK-MASQ, not to that endpoint"
