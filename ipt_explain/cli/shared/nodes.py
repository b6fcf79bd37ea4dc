"""Making the digests of all nodes for `compare --nodes`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from ipt_explain.cli.shared.options import Command, with_options
from ipt_explain.cli.shared.stdio import is_terminal, warn
from ipt_explain.errors import UsageError
from ipt_explain.records import Record
from ipt_explain.words import counted, listed

if TYPE_CHECKING:
    from ipt_explain.compare.fleet.engines.making import Made
    from ipt_explain.compare.fleet.engines.processes import Task
    from ipt_explain.compare.fleet.folding import Fleet
    from ipt_explain.compare.fleet.nodes import NotCompared
    from ipt_explain.compare.objects.many import NodesMismatches
    from ipt_explain.compare.objects.model import ApiObjects

_WORTH_PROCESSES = 8
"""From this many nodes on, several processes save time."""

_SHOWN_UNREAD = 3


class NodeOptions(Record):
    """How to read nodes: with `jobs` processes or the `dask` cluster at this address, naming nodes by the pattern
    `node_from`; and which results count as failure."""

    lenient: bool = False
    jobs: int | None = None
    dask: str | None = None
    node_from: re.Pattern[str] | None = None
    allow_missing: str = "0"
    names: bool = False

    def misses_too_many(self, missing: int, nodes: int) -> bool:
        """Whether more nodes than allowed could not be compared, of `nodes` in all."""
        number, percent, _ = self.allow_missing.partition("%")
        allowed = float(number)
        return missing > (allowed * nodes / 100 if percent else allowed)


def fleet_options(command: Command) -> Command:
    """Options for --nodes, as parameters `jobs`, `dask`, `node_from`, `allow_missing` and `names`."""
    name = click.option(
        "--node-from",
        metavar="REGEX",
        callback=_pattern,
        help="With --nodes: find a node's name in a path (first group).",
    )
    return with_options((name, *_fleet_options("With --nodes: {}".format)), command)


def cluster_options(command: Command) -> Command:
    """The same without `node_from`, for a command that always asks a cluster's nodes."""
    return with_options(_fleet_options(lambda text: text[0].upper() + text[1:]), command)


def _fleet_options(worded: Callable[[str], str]) -> tuple[Callable[[Command], Command], ...]:
    return (
        click.option("--jobs", metavar="N", type=click.IntRange(1, 1024), help=worded("read with N processes.")),
        click.option("--dask", metavar="ADDRESS", help=worded("read on the Dask cluster of this scheduler.")),
        click.option(
            "--allow-missing",
            metavar="N|N%",
            default="0",
            callback=_amount,
            help=worded("do not fail for up to this many nodes that cannot be compared."),
        ),
        click.option("--names", is_flag=True, help=worded("print every node's name, not just the first few.")),
    )


def _pattern(_: click.Context, __: click.Parameter, value: str | None) -> re.Pattern[str] | None:
    try:
        return None if value is None else re.compile(value)
    except re.error as error:
        raise click.BadParameter(f"this is not a regular expression: {error}") from None


def _amount(_: click.Context, __: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?%?", value):
        raise click.BadParameter("give a number of nodes, or a percentage: 3, 5%")
    return value


class NodesRead(Record):
    """All nodes' digests, folded, and where nodes differ from the cluster's objects."""

    fleet: Fleet
    mismatches: NodesMismatches


def read_nodes(arguments: Sequence[str], how: NodeOptions, objects: ApiObjects | None = None) -> NodesRead:
    """The digests of all nodes, folded. Raises UsageError if no node can be read."""
    from ipt_explain import progress
    from ipt_explain.cli.shared.waiting import show_progress
    from ipt_explain.compare.fleet.engines.processes import tasks
    from ipt_explain.compare.fleet.nodes import node_files
    from ipt_explain.inputs.nodes.kinds import FileKind
    from ipt_explain.inputs.nodes.sources import Sources

    if not arguments:
        raise click.UsageError("--nodes needs dumps or digests: files, directories, patterns or archives")
    show_progress()
    sources = Sources(arguments)
    nodes = node_files(sources.survey(), how.node_from)
    progress.hide()
    work = tasks(sources, nodes.jobs, elsewhere=how.dask is not None)
    # Reading a digest is cheaper than passing it between processes.
    worth = (
        sum(any(entry.kind is not FileKind.DIGEST for entry in job.entries) for job in nodes.jobs) >= _WORTH_PROCESSES
    )
    found = folded(made_by(work, how, objects, worth), len(nodes.jobs), nodes.not_compared)
    if nodes.unread:
        shown = listed((f"{each.path} ({each.why})" for each in nodes.unread), _SHOWN_UNREAD)
        warn([f"{counted(len(nodes.unread), 'file')} not read: {shown}"])
    if nodes.passed_over:
        warn([f"{counted(nodes.passed_over, 'file')} skipped: not a node's rules"])
    return found


def made_by(work: Iterable[Task], how: NodeOptions, objects: ApiObjects | None, worth: bool) -> Iterator[Made]:
    """The digests. `worth` says whether to use several processes if the user did not choose."""
    from ipt_explain.compare.fleet.engines.processes import available_cores, made_by_processes, made_here

    jobs = how.jobs or (available_cores() if worth else 1)
    if how.dask is not None:
        from ipt_explain.compare.fleet.engines.dask import made_by_dask

        return made_by_dask(work, how.lenient, how.dask, objects)
    if jobs > 1:
        return made_by_processes(work, how.lenient, jobs, objects)
    return made_here(work, how.lenient, objects)


def folded(made: Iterable[Made], total: int, not_compared: Iterable[NotCompared]) -> NodesRead:
    """The digests of `total` nodes, folded as they arrive. Raises UsageError if no node could be read."""
    from ipt_explain.compare.fleet.folding import Fleet
    from ipt_explain.compare.objects.many import NodesMismatches

    fleet, mismatches = Fleet(), NodesMismatches()
    fleet.not_compared += not_compared
    warnings: list[str] = []
    for each in _with_progress(made, total):
        fleet.not_compared += each.not_compared
        warnings += each.warnings
        if each.digest is not None:
            fleet.add(each.digest, each.source)
            mismatches.add(each.node, each.mismatches)
    if not fleet.node_count:
        reasons = "; ".join(f"{each.node}: {each.reason}" for each in fleet.not_compared[:5])
        raise UsageError(f"no node can be compared: {reasons or 'there are no rules in any of the files'}")
    warn(warnings)
    return NodesRead(fleet, mismatches)


def _with_progress(made: Iterable[Made], total: int) -> Iterator[Made]:
    """The same, with a progress bar if standard error is a terminal."""
    if sys.stderr is None or not is_terminal(sys.stderr):
        yield from made
        return
    with click.progressbar(made, length=total, label="nodes", file=sys.stderr, show_pos=True) as bar:
        yield from bar
