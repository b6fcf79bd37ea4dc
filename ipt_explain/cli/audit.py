"""`ipt-explain audit`: what is wrong with these rules."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence

import click

from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.settings.config import FAIL_ON
from ipt_explain.cli.shared.baselines import FindingChoice, baseline_options, gone_entries, record_findings
from ipt_explain.cli.shared.folders import files_of
from ipt_explain.cli.shared.objects import naming
from ipt_explain.cli.shared.options import (
    Printing,
    as_record,
    display_options,
    dump_options,
    file_option,
    output_option,
    read_dumps,
    selection_options,
    suggested,
)
from ipt_explain.cli.shared.stdio import DEFAULT_WIDTH, complain, note, shows_links, warn, write
from ipt_explain.render.audit.formats import FORMATS, Style, rendered

CLEAN, FOUND, UNCHECKED = 0, 1, 2


def _format_and_path(_: click.Context, __: click.Parameter, words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for word in words:
        name, _equals, path = word.partition("=")
        if name not in FORMATS or not path:
            raise click.BadParameter(f"write FORMAT=PATH, such as sarif=audit.sarif; formats are {', '.join(FORMATS)}")
        pairs.append((name, path))
    return tuple(pairs)


@click.command()
@dump_options
@output_option(*FORMATS)
@click.option(
    "--output-file", "output_files", multiple=True, metavar="FORMAT=PATH", callback=_format_and_path,
    help="Also write the report to a file, in any of these formats; may be repeated.",
)  # fmt: skip
@click.option("--statistics", is_flag=True, help="Count findings by rule instead of listing them.")
@click.option("--all", "everything", is_flag=True, help="List every finding; do not fold similar ones.")
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    help="Exit with 1 for findings of this severity or a higher one. [default: error]",
)
@click.option(
    "--select", multiple=True, metavar="RULES", shell_complete=suggested("rule_ids"),
    help="Only these rules: IDs, prefixes such as IPT2, or names, separated by commas.",
)  # fmt: skip
@click.option(
    "--ignore", multiple=True, metavar="RULES", shell_complete=suggested("rule_ids"),
    help="Leave out these rules; if --select matches, too, the longer prefix wins.",
)  # fmt: skip
@baseline_options
@click.option("-v", "--verbose", is_flag=True, help="Show notes (severity info) in text output, too.")
@file_option(
    "--objects",
    help="Take the names of IPVS virtual servers from this file: the output of kubectl get services -A -o json.",
)
@selection_options
@display_options
@as_record("choice", FindingChoice)
@as_record("printing", Printing)
def audit(
    dumps: tuple[str, ...],
    live: bool,
    lenient: bool,
    output_files: tuple[tuple[str, str], ...],
    statistics: bool,
    everything: bool,
    fail_on: str | None,
    choice: FindingChoice,
    verbose: bool,
    objects: str | None,
    service: tuple[str, ...],
    namespace: tuple[str, ...],
    address: tuple[str, ...],
    printing: Printing,
) -> int:
    """What is wrong with these rules? Lint for CI.

    DUMP may be a directory: all dumps in it are audited.

    \b
    iptables-save | ipt-explain audit
    ipt-explain audit --fail-on warning --ignore IPT709 nodes/

    Exit status: 0 no finding at or above --fail-on, 1 such findings, 2 unusable input or command line.
    """
    from ipt_explain.analyzers.selection import Selection
    from ipt_explain.audit.settings.plan import make_plan

    output, width, color = printing.output, printing.width, printing.color
    if statistics and output != "text":
        raise click.UsageError("--statistics goes with -o text")
    plan = make_plan(choice.select, choice.ignore, fail_on, choice.baseline, choice.config, choice.no_config)
    note(plan.notes)
    plan.require(plan.rules)
    services = Selection.of(service, namespace, address)
    dumps = files_of(dumps)
    parsed = read_dumps(dumps, live, lenient)
    report = plan.report(parsed, services, live, naming(objects, parsed))
    warn(warning for dump in parsed for warning in dump.warnings)
    if choice.write_baseline is not None and not report.unchecked:
        record_findings(choice.write_baseline, report.findings, dumps, choice.force)
        return CLEAN
    if not services:
        note(gone_entries(plan, report, parsed, {rule.id for rule in plan.rules}))
    report = report.without(plan.known)
    notes = verbose or plan.fail_on is Severity.INFO
    style = Style(width, color, notes, not everything, color and shows_links(sys.stdout), statistics)
    plain = Style(DEFAULT_WIDTH, notes=notes, fold=not everything)
    write(rendered(report, output, plan.rules, plan.fail_on, style), annotations=output == "github")
    if output_files:
        _write_files(output_files, dumps, lambda name: rendered(report, name, plan.rules, plan.fail_on, plain))
    for failure in report.unchecked:
        complain(f"ipt-explain: {failure}. This is a bug in ipt-explain: please report it.")
    if report.unchecked:
        return UNCHECKED
    return FOUND if plan.fails(report) else CLEAN


def _write_files(
    wanted: Iterable[tuple[str, str]], inputs: Sequence[str], text_of: Callable[[str], Iterable[str]]
) -> None:
    """Write the report to every file that --output-file names."""
    from ipt_explain.outputs import write_file

    for name, path in wanted:
        write_file(path, text_of(name), inputs=[each for each in inputs if each != "-"])
