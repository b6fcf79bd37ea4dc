"""Options for baselines and configuration, for audit and compare --objects."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from ipt_explain.cli.shared.options import Command, file_option, with_options
from ipt_explain.cli.shared.stdio import note
from ipt_explain.records import Record
from ipt_explain.words import counted, listed

if TYPE_CHECKING:
    from pathlib import Path

    from ipt_explain.audit.findings.finding import Finding
    from ipt_explain.audit.runner import Report
    from ipt_explain.audit.settings.plan import Plan
    from ipt_explain.model import Dump

_SHOWN = 10


class FindingChoice(Record):
    """Which findings to report, and which to record as known. `force` is also for compare --digest --to."""

    select: tuple[str, ...]
    ignore: tuple[str, ...]
    baseline: Path | None
    write_baseline: Path | None
    force: bool
    config: Path | None
    no_config: bool


def baseline_options(command: Command) -> Command:
    """--baseline, --write-baseline, --force, --config and --no-config, as parameters of these names."""
    path_option = partial(file_option, metavar="PATH", callback=_as_path)
    options = (
        path_option("--baseline", help="Hide the findings recorded in this file."),
        path_option("--write-baseline", help="Write all findings to this file, and exit with 0."),
        click.option("--force", is_flag=True, help="Let --write-baseline replace a link or a file of another kind."),
        path_option(
            "--config",
            help="Read options from this file. [default: this repository's pyproject.toml or setup.cfg]",
        ),
        click.option("--no-config", is_flag=True, help="Read no configuration file."),
    )
    return with_options(options, command)


def _as_path(_: click.Context, __: click.Parameter, value: str | None) -> Path | None:
    if value is None:
        return None
    from pathlib import Path

    return Path(value)


def record_findings(path: Path, findings: Sequence[Finding], inputs: Sequence[str], force: bool) -> None:
    """Write a baseline for --write-baseline, and say how many findings it has. `inputs` are the files read."""
    from ipt_explain.audit.settings.baseline import write_baseline

    write_baseline(path, findings, inputs, force)
    note([f"{path}: {counted(len(findings), 'finding')} {'is' if len(findings) == 1 else 'are'} now known"])


def gone_entries(plan: Plan, report: Report, dumps: Sequence[Dump], rules: Container[str]) -> Iterator[str]:
    """A note about entries of the baseline that no longer occur, if there are any."""
    gone = plan.known.gone(report.findings, [dump.source for dump in dumps], rules)
    if gone:
        yield f"the baseline has findings that no longer occur: {listed(gone, _SHOWN)}"
