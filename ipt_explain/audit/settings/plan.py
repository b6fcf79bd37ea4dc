"""The plan of an audit: command line and configuration combined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ipt_explain.analyzers.selection import Naming, Selection
from ipt_explain.audit.catalogue import catalogue, rule_names
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.runner import Report, audit_node, merge
from ipt_explain.audit.settings.baseline import Baseline, read_baseline
from ipt_explain.audit.settings.config import Config, Overrides, load_config
from ipt_explain.audit.settings.selection import RuleSelection, parse_ids
from ipt_explain.errors import UsageError
from ipt_explain.model import Dump
from ipt_explain.model.node.joining import by_node
from ipt_explain.records import Record, field

if TYPE_CHECKING:
    from pathlib import Path

    from ipt_explain.services.explanation import Explanation


class Plan(Record):
    """Which findings are selected, which are known, and from which severity on they fail the run (None: never).

    `notes` say which configuration file was used and what it hides; `narrowed_by` is what selects rules, in words.
    """

    catalogue: tuple[AuditRule, ...]
    selection: RuleSelection
    fail_on: Severity | None
    known: Baseline
    notes: tuple[str, ...] = ()
    narrowed_by: str = ""
    overrides: Overrides = field(default_factory=Overrides)

    def require(self, rules: Sequence[AuditRule]) -> None:
        """Raises UsageError if no rule is left: a report without findings would then mean nothing."""
        if not rules:
            raise UsageError(f"no rule is left to run: {self.narrowed_by} leaves out all that this command has")

    @property
    def rules(self) -> tuple[AuditRule, ...]:
        """The rules that the audit runs and the user selected."""
        return tuple(rule for rule in self.catalogue if rule.asked and self.selection.wants(rule.id))

    def fails(self, report: Report) -> bool:
        """Whether a report has a finding that fails the run, or lacks rules that might have some."""
        if self.fail_on is None:
            return False
        return bool(report.failed) or any(finding.severity >= self.fail_on for finding in report.findings)

    def report(
        self,
        dumps: Sequence[Dump],
        services: Selection,
        one_node: bool = False,
        named: Naming | None = None,
        explained: Sequence[Explanation] | None = None,
    ) -> Report:
        """Audit the dumps, of `one_node` or of a node each, with Services `named`; known findings are still in the
        report. `explained` are the nodes' explanations, if the caller has them.

        With a selection of services only what is found about them is kept, and errors of the node. Raises UsageError,
        which names the nearest, where it fits none.
        """
        if explained is None and not services and named is None:
            groups = [list(dumps)] if one_node else by_node(dumps)
            report = merge([audit_node(each, self.catalogue) for each in groups])
        else:
            from ipt_explain.analyzers.selection import explain_nodes, select
            from ipt_explain.services.explanation import Explanation

            explanations = explain_nodes(dumps, named) if explained is None else explained
            selected = select(Explanation.joined(explanations), services).services if services else ()
            report = merge(
                [audit_node(each, self.catalogue, known) for each, known in zip(by_node(dumps), explanations)]
            )
            if services:
                report = report.about({service.label for service in selected})
        return report.keep(lambda finding: self.selection.wants(finding.rule)).overridden(self.overrides)


def make_plan(
    select: Sequence[str],
    ignore: Sequence[str],
    fail_on: str | None,
    baseline: Path | None,
    config: Path | None,
    no_config: bool,
) -> Plan:
    """The plan of a command line; the configuration sets what it leaves open, unless `no_config`.

    Raises UsageError for rule IDs, options and files that cannot be used.
    """
    if no_config and config is not None:
        raise UsageError("--config and --no-config cannot be used together")
    rules = catalogue()
    names = rule_names(rules)
    known = [rule.id for rule in rules]
    settings = Config() if no_config else load_config(config, names)
    own = RuleSelection(parse_ids(select, names, "--select"), parse_ids(ignore, names, "--ignore"))
    selection = RuleSelection(own.select or settings.select or (), own.ignore or settings.ignore or ())
    threshold = fail_on or settings.fail_on or Severity.ERROR.value
    baseline = baseline or settings.baseline
    return Plan(
        rules,
        selection,
        None if threshold == "never" else Severity(threshold),
        Baseline() if baseline is None else read_baseline(baseline),
        tuple(_notes(settings, known, own, selection, threshold, baseline)),
        _narrowed_by(own, settings),
        settings.overrides,
    )


def _narrowed_by(own: RuleSelection, settings: Config) -> str:
    options = [name for name, given in (("--select", own.select), ("--ignore", own.ignore)) if given]
    if settings.path is not None:
        options.append(_near(settings.path))
    return " with ".join(options)


def _notes(
    settings: Config,
    ids: Sequence[str],
    own: RuleSelection,
    selection: RuleSelection,
    threshold: str,
    baseline: Path | None,
) -> Iterator[str]:
    for path in settings.unread:
        yield f"{_near(path)} is not read, as it belongs to another user; --config {_near(path)} reads it anyway"
    if settings.path is None:
        return
    silenced = sum(own.wants(rule) and not selection.wants(rule) for rule in ids)
    said = f"turns off {silenced} of {len(ids)} rules" if silenced else "turns off no rule"
    note = f"configuration {_near(settings.path)} {said}"
    if settings.fail_on == threshold == "never":
        note += ", and no finding fails the run"
    if baseline is not None and baseline == settings.baseline:
        note += f"; its baseline is {_near(baseline)}"
    yield note


def _near(path: Path) -> str:
    """A path as one would write it here: relative where it is below the working directory."""
    from pathlib import Path


    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)
