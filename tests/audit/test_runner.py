"""One fault, one finding; stable fingerprints; silence where the text does not show all."""

from __future__ import annotations

from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules.index import RULES
from ipt_explain.audit.runner import audit_node
from ipt_explain.parsing import read_dump
from tests.audit.helpers import audit_text, findings_of

UNREACHABLE = """\
*filter
:INPUT ACCEPT [0:0]
-A INPUT -s 10.0.0.0/8 -j ACCEPT
-A INPUT -s 10.1.0.0/16 -j DROP
COMMIT
"""


def test_a_finding_points_at_its_line_and_names_the_cause() -> None:
    (finding,) = findings_of("IPT003", UNREACHABLE)
    assert (finding.line, finding.related_lines) == (4, (3,))
    assert (finding.table, finding.chain, finding.service) == ("filter", "INPUT", None)
    assert finding.excerpt == "-A INPUT -s 10.1.0.0/16 -j DROP"
    assert finding.columns == (25, 32)


def test_the_focus_of_a_finding_is_underlined() -> None:
    (finding,) = findings_of("IPT011", "-A INPUT -m statistic --mode random --probability 0 -j DROP\n")
    assert finding.columns is not None
    start, end = finding.columns
    assert finding.excerpt[start - 1 : end - 1] == "--probability 0"


def test_fingerprints_survive_moved_lines_and_counters() -> None:
    (before,) = findings_of("IPT003", UNREACHABLE)
    moved = UNREACHABLE.replace("-A INPUT -s 10.0", "-A INPUT -i lo -j ACCEPT\n-A INPUT -s 10.0")
    counted = "\n".join(
        f"[17:1020] {line}" if line.startswith("-A") else line for line in moved.replace("[0:0]", "[3:180]").split("\n")
    )
    (after,) = findings_of("IPT003", counted)
    assert after.line != before.line
    assert after.fingerprint == before.fingerprint


def test_equal_findings_have_fingerprints_of_their_own() -> None:
    copies = UNREACHABLE.replace(
        "-s 10.1.0.0/16 -j DROP", "-m mark --mark 0x3/0x1 -j DROP\n" * 1 + "-A INPUT -m mark --mark 0x3/0x1 -j DROP"
    )
    found = findings_of("IPT011", copies)
    assert len(found) == 2
    assert found[1].fingerprint == f"{found[0].fingerprint}:2"


def test_a_consequence_gives_way_to_the_more_exact_rule() -> None:
    # The second copy is both a duplicate and unreachable: it is reported as what it is, once.
    text = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 10.0.0.1/32 -j DROP\n-A INPUT -s 10.0.0.1/32 -j DROP\nCOMMIT\n"
    assert [finding.rule for finding in audit_text(text)] == ["IPT004"]


def test_what_a_fragment_lacks_is_not_missing() -> None:
    lines = "-A PREROUTING -j KUBE-SERVICES\n"
    assert audit_text(lines) == []
    whole = f"*nat\n:PREROUTING ACCEPT [0:0]\n{lines}COMMIT\n"
    assert "IPT001" in {finding.rule for finding in audit_text(whole)}


def test_a_rule_that_fails_is_told_and_silences_no_other() -> None:
    failing = AuditRule("IPT999", "broken", Severity.ERROR, "Broken.", "no_such_module")
    report = audit_node([read_dump(UNREACHABLE)], (failing, *(rule for rule in RULES if rule.id == "IPT003")))
    assert [finding.rule for finding in report.findings] == ["IPT003"]
    (unchecked,) = report.unchecked
    assert str(unchecked) == "-: IPT999 could not be checked (ModuleNotFoundError: No module named 'no_such_module')"


def test_severities_are_ordered() -> None:
    assert Severity.INFO < Severity.WARNING < Severity.ERROR
    assert not Severity.ERROR <= Severity.WARNING


def test_the_gravest_findings_come_first() -> None:
    rules = "-A INPUT -i lo -j LOG\n-A INPUT -i lo -j LOG\n-A INPUT -m mark --mark 0x3/0x1 -j DROP\n"
    text = f"*filter\n:INPUT ACCEPT [0:0]\n{rules}COMMIT\n"
    assert [finding.severity for finding in audit_text(text)] == [Severity.WARNING, Severity.INFO]
