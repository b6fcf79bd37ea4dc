"""`ipt-explain audit`: what is wrong with these rules."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipt_explain.audit.config import FAIL_ON
from ipt_explain.audit.finding import Severity
from ipt_explain.cli.baselines import baseline_options, count_of_findings, gone_entries
from ipt_explain.cli.options import display_options, dump_options, output_option, read_dumps, selection_options
from ipt_explain.cli.stdio import complain, tell, warn, write
from ipt_explain.cli.suggestions import rule_ids

if TYPE_CHECKING:
    from ipt_explain.audit.plan import Plan
    from ipt_explain.audit.runner import Report
    from ipt_explain.model import Dump

CLEAN, FOUND, UNCHECKED = 0, 1, 2


@click.command()
@dump_options
@output_option("text", "json", "sarif", "github", "junit")
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    help="Exit with 1 for findings of this severity or a higher one. [default: error]",
)
@click.option(
    "--select", multiple=True, metavar="RULES", shell_complete=rule_ids,
    help="Only these rules: IDs, prefixes such as IPT2, or names, with commas.",
)  # fmt: skip
@click.option(
    "--ignore", multiple=True, metavar="RULES", shell_complete=rule_ids,
    help="Not these rules; where both fit, the longer prefix wins.",
)  # fmt: skip
@baseline_options
@click.option("-v", "--verbose", is_flag=True, help="Show notes (severity info) in text output, too.")
@selection_options
@display_options
def audit(
    dumps: tuple[str, ...],
    live: bool,
    lenient: bool,
    output: str,
    fail_on: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    baseline: Path | None,
    write_baseline: Path | None,
    force: bool,
    config: Path | None,
    no_config: bool,
    verbose: bool,
    service: tuple[str, ...],
    namespace: tuple[str, ...],
    address: tuple[str, ...],
    color: bool,
    width: int,
) -> int:
    """What is wrong with these rules? Lint for CI.

    Exit status: 0 no finding at or above --fail-on, 1 such findings, 2 the input or the command line cannot be used.
    """
    from ipt_explain.analyzers.selection import Selection
    from ipt_explain.audit.baseline import write_baseline as write_file
    from ipt_explain.audit.plan import make_plan

    plan = make_plan(select, ignore, fail_on, baseline, config, no_config)
    tell(plan.notes)
    plan.require(plan.rules)
    services = Selection.of(service, namespace, address)
    parsed = read_dumps(dumps, live, lenient)
    report = plan.report(parsed, services, one_node=live)
    warn(warning for dump in parsed for warning in dump.warnings)
    if write_baseline is not None:
        write_file(write_baseline, report.findings, dumps, force)
        tell([f"{write_baseline}: {count_of_findings(report.findings)} now known"])
        return CLEAN
    if not services:
        tell(gone_entries(plan, report, parsed, {rule.id for rule in plan.rules}))
    report = report.without(plan.known)
    notes = verbose or plan.fail_on is Severity.INFO
    write(_rendered(report, plan, parsed, output, width, color, notes), annotations=output == "github")
    for failure in report.unchecked:
        complain(f"ipt-explain: {failure}. This is a fault of ipt-explain: please report it.")
    if report.unchecked:
        return UNCHECKED
    return FOUND if plan.fails(report) else CLEAN


def _rendered(
    report: Report, plan: Plan, dumps: Iterable[Dump], output: str, width: int, color: bool, notes: bool
) -> Iterable[str]:
    if output == "json":
        from ipt_explain.render.audit.json import audit_json

        return [audit_json(report)]
    if output == "sarif":
        from ipt_explain.render.audit.sarif import sarif

        return [sarif(report, plan.rules)]
    if output == "github":
        from ipt_explain.render.audit.github import github_annotations

        return github_annotations(report)
    if output == "junit":
        from ipt_explain.render.audit.junit import junit_xml

        return [junit_xml(report, plan.rules, [dump.source for dump in dumps], plan.fail_on)]
    from ipt_explain.render.audit.text import audit_text

    return audit_text(report, width, color, notes)
