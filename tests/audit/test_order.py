"""Of equally severe findings, the one that breaks most comes first, in every format and wherever its line is."""

from __future__ import annotations

import json

from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.rules.index import RULES
from ipt_explain.audit.runner import Report, audit_dump, merge
from ipt_explain.audit.settings.config import Overrides
from ipt_explain.parsing import read_dump
from ipt_explain.render.audit.formats import Style, rendered
from tests.audit.helpers import audit_text
from tests.audit.test_lost_traffic import with_rule
from tests.cli.program import ROOT

# The line of a missing hairpin rule is before that of a chain which leaks a quarter of kube-dns's connections.
DAMAGED = (ROOT / "samples" / "damaged-node.txt").read_text(encoding="utf-8")
PLAIN = Style(80, notes=True)


def report(text: str, source: str = "node.txt") -> Report:
    return audit_dump(read_dump(text, source=source))


def errors(text: str) -> list[str]:
    return [finding.rule for finding in audit_text(text) if finding.severity is Severity.ERROR]


def text_of(found: Report, output: str, style: Style = PLAIN) -> str:
    return "".join(rendered(found, output, RULES, Severity.ERROR, style))


def test_lost_connections_come_before_missing_hairpins() -> None:
    assert errors(DAMAGED) == ["IPT202", "IPT401"]


def test_what_stops_all_services_comes_first() -> None:
    assert errors(with_rule(DAMAGED, "security", "FORWARD", "-d 10.244.0.0/16 -j DROP")) == ["IPT117", "IPT202", "IPT401"]


def test_what_is_about_the_whole_node_comes_before_one_service() -> None:
    unknown = DAMAGED.replace("COMMIT\n", "-A KUBE-FORWARD -j NOWHERE\nCOMMIT\n", 1)
    assert errors(unknown) == ["IPT001", "IPT202", "IPT401"]


def test_of_two_rules_the_one_that_stops_more_services_comes_first() -> None:
    stops = "-d 10.244.1.{}/32 -p tcp -m tcp --dport {} -j DROP"
    one = with_rule(DAMAGED, "security", "FORWARD", stops.format(2, 9153))
    both = with_rule(one, "security", "FORWARD", "-p udp -j DROP").splitlines()
    where = {finding.line: finding.rule for finding in audit_text("\n".join(both)) if finding.rule == "IPT117"}
    assert [both[line - 1] for line in where if line is not None] == [
        "-A FORWARD -p udp -j DROP",
        f"-A FORWARD {stops.format(2, 9153)}",
    ]


def test_a_rule_that_reports_the_cause_takes_over_what_is_lost() -> None:
    """IPT101 reports a missing jump; it does not ask what that does."""
    unhooked = "\n".join(line for line in DAMAGED.splitlines() if not line.startswith("-A PREROUTING"))
    found = audit_text(unhooked)
    assert [finding.rule for finding in found][:2] == ["IPT101", "IPT202"]
    assert found[0].impact.most
    assert found[0].impact.lost == 4


def test_every_format_lists_findings_in_one_order() -> None:
    found = report(with_rule(DAMAGED, "security", "FORWARD", "-d 10.244.0.0/16 -j DROP"))
    order = [finding.rule for finding in found.findings]
    assert order == ["IPT117", "IPT202", "IPT401"]
    assert [each["rule"] for each in json.loads(text_of(found, "json"))["findings"]] == order
    assert [each["check_name"][:6] for each in json.loads(text_of(found, "gitlab"))] == order
    assert [each["ruleId"] for each in json.loads(text_of(found, "sarif"))["runs"][0]["results"]] == order
    for output in ("text", "concise", "github", "junit", "markdown"):
        text = text_of(found, output)
        assert sorted(order, key=text.index) == order, output


def test_folded_findings_count_together() -> None:
    """Each of two nodes lacks hairpin rules, and one of them loses connections, too."""
    whole = merge([report(DAMAGED, "a.txt"), report(DAMAGED, "b.txt")])
    assert [finding.source for finding in whole.findings] == ["a.txt", "a.txt", "b.txt", "b.txt"]
    assert text_of(whole, "text").index("IPT202") < text_of(whole, "text").index("IPT401")


def test_severity_counts_more() -> None:
    found = report(DAMAGED).overridden(Overrides((("IPT202", Severity.WARNING),)))
    assert [finding.rule for finding in found.findings] == ["IPT401", "IPT202"]
