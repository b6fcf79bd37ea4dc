"""Options for baselines and configuration, for audit and compare --objects."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from ipt_explain.cli.shared.options import Command, with_options

if TYPE_CHECKING:
    from pathlib import Path

    from ipt_explain.audit.findings.finding import Finding
    from ipt_explain.audit.runner import Report
    from ipt_explain.audit.settings.plan import Plan
    from ipt_explain.model import Dump

_SHOWN = 10


def baseline_options(command: Command) -> Command:
    """--baseline, --write-baseline, --force, --config and --no-config, as parameters of these names."""
    path = click.Path()
    options = (
        click.option("--baseline", type=path, callback=_as_path, help="Hide the findings recorded in this file."),
        click.option(
            "--write-baseline", type=path, callback=_as_path, help="Write all findings to this file, and exit with 0."
        ),
        click.option("--force", is_flag=True, help="Let --write-baseline replace a link or a file of another kind."),
        click.option(
            "--config",
            type=path,
            callback=_as_path,
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


def count_of_findings(findings: Sequence[Finding]) -> str:
    """`1 finding is`, `3 findings are`."""
    return "1 finding is" if len(findings) == 1 else f"{len(findings):,} findings are"


def gone_entries(plan: Plan, report: Report, dumps: Sequence[Dump], rules: Container[str]) -> Iterator[str]:
    """A note about entries of the baseline that no longer occur, if there are any."""
    gone = plan.known.gone(report.findings, [dump.source for dump in dumps], rules)
    if gone:
        more = f" and {len(gone) - _SHOWN:,} more" if len(gone) > _SHOWN else ""
        yield f"the baseline has findings that no longer occur: {', '.join(gone[:_SHOWN])}{more}"
