"""One cause may break everything: it is reported once, with its lines."""

from __future__ import annotations

from ipt_explain.audit.findings.fault import ENOUGH, Fault, gathered
from ipt_explain.audit.findings.place import Location
from ipt_explain.audit.findings.severity import Severity
from tests.audit.helpers import findings_of
from tests.kube_corpus import scenario


def fault(line: int, severity: Severity | None = None) -> Fault:
    return Fault("it is broken", "mend it", Location("C", line), severity=severity)


def test_few_faults_stay_apart() -> None:
    faults = [fault(line) for line in range(ENOUGH)]
    assert list(gathered(faults)) == faults


def test_many_faults_become_one_of_each_severity() -> None:
    faults = [fault(line) for line in range(ENOUGH + 2)] + [fault(90, Severity.INFO)]
    together, note = gathered(faults)
    assert together.message == f"it is broken; {ENOUGH + 1} similar places"
    assert together.related == tuple(range(1, ENOUGH + 2))
    assert note is faults[-1]


def test_a_lost_marking_rule_in_every_endpoint_is_one_finding() -> None:
    text = scenario("1.30", "counts").ipv4
    lines = [line for line in text.splitlines() if not (line.startswith("-A KUBE-SEP-") and "KUBE-MARK-MASQ" in line)]
    (found,) = findings_of("IPT401", "\n".join(lines))
    assert len(found.related_lines) > 50
