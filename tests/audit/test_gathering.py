"""One cause may break everything: it is told once, with its lines."""

from __future__ import annotations

from ipt_explain.audit.findings.fault import Fault, gathered
from ipt_explain.audit.findings.place import Location
from ipt_explain.audit.findings.severity import Severity
from tests.audit.helpers import findings_of
from tests.kube_corpus import scenario


def fault(line: int, severity: Severity | None = None) -> Fault:
    return Fault("it is broken", "mend it", Location("C", line), severity=severity)


def test_few_faults_stay_apart() -> None:
    faults = [fault(line) for line in range(3)]
    assert list(gathered(faults, enough=3)) == faults


def test_many_faults_become_one_of_each_severity() -> None:
    faults = [fault(line) for line in range(5)] + [fault(9, Severity.INFO)]
    together, note = gathered(faults, enough=3)
    assert together.message == "it is broken; 4 similar places"
    assert together.related == (1, 2, 3, 4)
    assert note is faults[-1]


def test_a_lost_marking_rule_in_every_endpoint_is_one_finding() -> None:
    text = scenario("1.30", "counts").ipv4
    lines = [line for line in text.splitlines() if not (line.startswith("-A KUBE-SEP-") and "KUBE-MARK-MASQ" in line)]
    (found,) = findings_of("IPT401", "\n".join(lines))
    assert len(found.related_lines) > 50
