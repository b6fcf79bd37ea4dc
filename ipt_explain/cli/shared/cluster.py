"""`compare --objects`: the rules of one node or many against the cluster's API objects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ipt_explain.cli.audit import CLEAN, FOUND
from ipt_explain.cli.shared.baselines import gone_entries, record_findings
from ipt_explain.cli.shared.nodes import NodeOptions, NodesRead, read_nodes
from ipt_explain.cli.shared.objects import read_cluster
from ipt_explain.cli.shared.options import Printing, read_dumps
from ipt_explain.cli.shared.stdio import note, warn, write
from ipt_explain.records import Record
from ipt_explain.render.audit.formats import Style, rendered

if TYPE_CHECKING:
    from ipt_explain.audit.rule import AuditRule
    from ipt_explain.audit.runner import Report
    from ipt_explain.audit.settings.plan import Plan


class Judging(Record):
    """The request: the file of objects, which findings to report, and how to print them."""

    objects: str
    plan: Plan
    printing: Printing
    write_baseline: Path | None
    force: bool


def judge_dumps(dumps: tuple[str, ...], node: str | None, lenient: bool, judging: Judging) -> int:
    """Print where the rules of one or a few nodes differ from the objects; returns the exit status."""
    from ipt_explain.audit.cluster import cluster_report
    from ipt_explain.compare.objects.cluster import judge_all

    objects = read_cluster(judging.objects, dumps)
    parsed = read_dumps(dumps, live=False, lenient=lenient)
    judgement = judge_all(objects, parsed, node)
    warn((*(warning for dump in parsed for warning in dump.warnings), *judgement.notes))
    report = _wanted(cluster_report(judgement.mismatches, parsed), judging)
    if judging.write_baseline is not None:
        record_findings(judging.write_baseline, report.findings, (judging.objects, *dumps), judging.force)
        return CLEAN
    plan = judging.plan
    note(gone_entries(plan, report, parsed, {rule.id for rule in cluster_rules(plan)}))
    return _print(report.without(plan.known), judging)


def judge_nodes(sources: tuple[str, ...], how: NodeOptions, judging: Judging) -> int:
    """Print where nodes differ from the objects, one finding per cause; returns the exit status."""
    found = read_nodes(sources, how, read_cluster(judging.objects, sources))
    return print_judgement(found, sources, how, judging)


def print_judgement(found: NodesRead, sources: Sequence[str], how: NodeOptions, judging: Judging) -> int:
    """Print the findings about nodes; returns the exit status."""
    from ipt_explain.audit.cluster import nodes_report
    from ipt_explain.compare.fleet.comparison import compare_fleet

    comparison = compare_fleet(found.fleet)
    mismatches = found.mismatches.all(comparison)
    report = _wanted(nodes_report(mismatches, found.fleet.nodes, comparison.not_compared), judging)
    if judging.write_baseline is not None:
        record_findings(judging.write_baseline, report.findings, (judging.objects, *sources), judging.force)
        return CLEAN
    status = _print(report.without(judging.plan.known), judging)
    if judging.printing.output != "json":
        # These formats have no place for nodes that were not judged: name them on standard error.
        warn(f"{each.node} is not compared: {each.reason}" for each in comparison.not_compared)
    missing = len({each.node for each in comparison.not_compared})
    return FOUND if how.misses_too_many(missing, comparison.nodes + missing) else status


def cluster_rules(plan: Plan) -> tuple[AuditRule, ...]:
    """The selected rules of the catalogue that need API objects."""
    from ipt_explain.audit.rules.index import RULES

    return tuple(rule for rule in RULES if not rule.asked and plan.selection.wants(rule.id))


def _wanted(report: Report, judging: Judging) -> Report:
    return report.keep(lambda finding: judging.plan.selection.wants(finding.rule))


def _print(report: Report, judging: Judging) -> int:
    plan = judging.plan
    style = Style(judging.printing.width, judging.printing.color, notes=True, unfolded_by="-o concise")
    chunks = rendered(report, judging.printing.output, cluster_rules(plan), plan.fail_on, style)
    write(chunks, annotations=judging.printing.output == "github")
    return FOUND if plan.fails(report) else CLEAN
