"""What an audit is asked to do: command line and configuration brought together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ipt_explain.analyzers.selection import Selection as ServiceSelection
from ipt_explain.audit.baseline import read_baseline
from ipt_explain.audit.config import load_config
from ipt_explain.audit.finding import Severity
from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules import ALL_RULES, RULES_BY_ID
from ipt_explain.audit.runner import Report, audit_dump, audit_node, merge
from ipt_explain.audit.selection import Selection, parse_ids
from ipt_explain.model import Dump


@dataclass(frozen=True, slots=True)
class Plan:
    """Which findings are wanted, which are known, and from which severity on they fail the run (None: never)."""

    selection: Selection
    fail_on: Severity | None
    known: frozenset[str]

    @property
    def rules(self) -> tuple[AuditRule, ...]:
        """The rules that the audit asks and the user wants to hear."""
        return tuple(
            rule for rule in ALL_RULES if self.selection.wants(rule.id) and (rule.check_ruleset or rule.check_dump)
        )

    def fails(self, report: Report) -> bool:
        """Whether a report holds a finding that fails the run."""
        return self.fail_on is not None and any(finding.severity >= self.fail_on for finding in report.findings)

    def report(self, dumps: Sequence[Dump], services: ServiceSelection, one_node: bool = False) -> Report:
        """Audit the dumps, of `one_node` or of a node each; known findings are still in the report.

        With a selection of services only what is found about them is kept. Raises UsageError, which names the nearest,
        where it fits none.
        """
        if not services:
            report = audit_node(dumps) if one_node else merge([audit_dump(dump) for dump in dumps])
        else:
            from ipt_explain.analyzers import explain
            from ipt_explain.analyzers.selection import select
            from ipt_explain.services.explanation import Explanation

            explanations = [explain(dump) for dump in dumps]
            labels = {service.label for service in select(Explanation.joined(explanations), services).services}
            reports = [audit_dump(dump, explanation=explained) for dump, explained in zip(dumps, explanations)]
            report = merge(reports).about(labels)
        return report.keep(lambda finding: self.selection.wants(finding.rule))


def make_plan(
    select: Sequence[str], ignore: Sequence[str], fail_on: str | None, baseline: Path | None, config: Path | None
) -> Plan:
    """The plan of a command line; what it leaves open, the configuration decides.

    Raises UsageError for rule IDs, options and files that cannot be used.
    """
    settings = load_config(config, RULES_BY_ID)
    selection = Selection(
        select=parse_ids(select, RULES_BY_ID, "--select") or settings.select or (),
        ignore=parse_ids(ignore, RULES_BY_ID, "--ignore") or settings.ignore or (),
    )
    threshold = fail_on or settings.fail_on or Severity.ERROR.value
    baseline = baseline or settings.baseline
    return Plan(
        selection,
        None if threshold == "never" else Severity(threshold),
        frozenset() if baseline is None else read_baseline(baseline),
    )
