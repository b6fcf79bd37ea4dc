"""`ipt-explain compare`: differences in what happens to traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ipt_explain.audit.settings.config import FAIL_ON
from ipt_explain.cli.audit import CLEAN, FOUND
from ipt_explain.cli.shared.baselines import FindingChoice, baseline_options
from ipt_explain.cli.shared.nodes import NodeOptions, fleet_options
from ipt_explain.cli.shared.options import FILE_NAME, Printing, as_record, display_options, file_option, read_dumps
from ipt_explain.cli.shared.stdio import note, warn, write
from ipt_explain.errors import UsageError
from ipt_explain.render.audit.formats import FORMATS
from ipt_explain.words import either

if TYPE_CHECKING:
    from ipt_explain.compare.fleet.folding import Fleet

_FOR_OBJECTS = tuple(name for name in FORMATS if name not in ("text", "json"))


@click.command()
@click.argument("dumps", nargs=-1, metavar="BEFORE AFTER | SOURCE... | DUMP...", shell_complete=FILE_NAME)
@click.option("--nodes", is_flag=True, help="Compare many nodes: files, directories, patterns, archives.")
@click.option("--digest", is_flag=True, help="Write the digest of a node's dumps, for a later compare --nodes.")
@file_option(
    "--objects",
    help="Compare with API objects: what kubectl get services,endpointslices,nodes -A -o json prints.",
)
@click.option("--node", metavar="NAME", help="With --objects or --digest: the dump's node. [default: recognised]")
@click.option(
    "-o",
    "--output",
    type=click.Choice(("text", "json", "hash", *_FOR_OBJECTS)),
    default="text",
    metavar="FORMAT",
    help="What to print: text, json; with --digest also hash, with --nodes or --objects openmetrics, "
    f"with --objects {either([name for name in _FOR_OBJECTS if name != 'openmetrics'])}.  [default: text]",
)
@file_option("--to", help="With --digest: write it to this file, gzipped for .gz.")
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    help="Exit with 1 for findings of this severity or a higher one; `never` ignores differences, too.",
)
@click.option("--select", multiple=True, metavar="IDS", help="With --objects: only these rules, such as IPT80,IPT805.")
@click.option("--ignore", multiple=True, metavar="IDS", help="With --objects: not these rules.")
@baseline_options
@fleet_options
@click.option("--lenient", is_flag=True, help="Skip lines that are not iptables-save syntax, and count them.")
@display_options
@as_record("choice", FindingChoice)
@as_record("how", NodeOptions)
@as_record("printing", Printing)
def compare(
    dumps: tuple[str, ...],
    nodes: bool,
    digest: bool,
    objects: str | None,
    node: str | None,
    to: str | None,
    fail_on: str | None,
    choice: FindingChoice,
    how: NodeOptions,
    printing: Printing,
) -> int:
    """What differs between two dumps, many nodes, or a dump and the cluster's API objects?

    \b
    ipt-explain compare before.txt after.txt
    ipt-explain compare --nodes dumps/
    ipt-explain compare --objects objects.json node.txt

    It compares what happens to traffic, not lines, and ignores order, counters, comments and chain names.
    Exit status: 0 no difference, 1 differences or findings, 2 unusable input or command line.
    """
    output = printing.output
    if digest and (nodes or objects is not None):
        raise click.UsageError("--digest cannot be used with --nodes or --objects")
    if not digest:
        for option, value in (("-o hash", output == "hash"), ("--to", to)):
            if value:
                raise click.UsageError(f"{option} goes with --digest")
    if objects is None:
        given = {
            "--select": choice.select,
            "--ignore": choice.ignore,
            "--baseline": choice.baseline,
            "--write-baseline": choice.write_baseline,
            "--force": choice.force if not digest else None,
            "--config": choice.config,
            "--no-config": choice.no_config,
            f"-o {output}": output in _FOR_OBJECTS and not (nodes and output == "openmetrics"),
            "--node": node if not digest else None,
        }
        for option in filter(given.get, given):
            raise click.UsageError(f"{option} goes with --objects")
    if digest:
        return _write_digest(dumps, node, output, to, choice.force, how.lenient)
    if nodes and objects is None:
        return _compare_many(dumps, how, fail_on, printing)
    if objects is None:
        return _compare_two(dumps, how.lenient, fail_on, printing)
    from ipt_explain.audit.settings.plan import make_plan
    from ipt_explain.cli.shared.cluster import Judging, cluster_rules, judge_dumps, judge_nodes

    plan = make_plan(choice.select, choice.ignore, fail_on, choice.baseline, choice.config, choice.no_config)
    note(plan.notes)
    plan.require(cluster_rules(plan))
    judging = Judging(objects, plan, printing, choice.write_baseline, choice.force)
    return judge_nodes(dumps, how, judging) if nodes else judge_dumps(dumps, node, how.lenient, judging)


def _compare_two(dumps: tuple[str, ...], lenient: bool, fail_on: str | None, printing: Printing) -> int:
    from ipt_explain.collector import collector_paused
    from ipt_explain.compare.dumps import NodeView, compare_nodes, node_view

    if len(dumps) != 2:
        raise click.UsageError(
            "give two dumps, BEFORE and AFTER; --nodes compares many, --objects one with the cluster"
        )
    if dumps == ("-", "-"):
        raise UsageError("standard input (-) can be read only once")
    from ipt_explain.inputs.files import equal_files

    with collector_paused():
        equal = equal_files(*dumps)
        failed = False
        views: list[NodeView] = []
        for path in dumps[:1] if equal else dumps:
            # One at a time to save memory: what is compared is much smaller than a dump.
            parsed = read_dumps((path,), live=False, lenient=lenient)
            warn(parsed[0].warnings)
            failed = failed or bool(parsed[0].failed)
            if not equal:
                views.append(node_view(path, parsed))
            del parsed
        comparison = None if equal else compare_nodes(*views)
    differences, notes = ((), ()) if comparison is None else (comparison.differences, comparison.notes)
    warn(notes)
    if printing.output == "json":
        from ipt_explain.render.compare.json import compare_json

        write(compare_json(differences, notes, equal=not differences and not failed))
    else:
        from ipt_explain.render.compare.text import comparison_text, same_bytes

        width, color = printing.width, printing.color
        write(same_bytes(*dumps, width) if comparison is None else comparison_text(comparison, width, color))
    # Rules that are unknown never count as equal.
    return FOUND if (differences or failed) and fail_on != "never" else CLEAN


def _compare_many(sources: tuple[str, ...], how: NodeOptions, fail_on: str | None, printing: Printing) -> int:
    from ipt_explain.cli.shared.nodes import read_nodes

    return print_comparison(read_nodes(sources, how).fleet, how, fail_on, printing)


def print_comparison(fleet: Fleet, how: NodeOptions, fail_on: str | None, printing: Printing) -> int:
    """Print how the nodes of a fleet differ; returns the exit status."""
    from ipt_explain.compare.fleet.comparison import compare_fleet

    comparison = compare_fleet(fleet)
    if printing.output == "openmetrics":
        from ipt_explain.render.compare.metrics import fleet_metrics

        write(fleet_metrics(comparison))
    elif printing.output == "json":
        from ipt_explain.render.compare.json import fleet_json

        write(fleet_json(comparison))
    else:
        from ipt_explain.render.compare.fleet import fleet_text

        write(fleet_text(comparison, how.names, printing.width, printing.color))
    if fail_on == "never":
        return CLEAN
    missing = len({each.node for each in comparison.not_compared})
    return FOUND if comparison.differences or how.misses_too_many(missing, comparison.nodes + missing) else CLEAN


def _write_digest(
    dumps: tuple[str, ...], node: str | None, output: str, to: str | None, force: bool, lenient: bool
) -> int:
    from ipt_explain.compare.dumps import node_view
    from ipt_explain.compare.fleet.records.digest import digest_of
    from ipt_explain.compare.fleet.records.times import taken_of
    from ipt_explain.inputs.nodes.names import file_name

    parsed = read_dumps(dumps, live=False, lenient=lenient)
    warn(warning for dump in parsed for warning in dump.warnings)
    name = node or (file_name(parsed[0].source) if parsed[0].source != "-" else "-")
    digest = digest_of(node_view(name, parsed), taken=taken_of(dump.text.text for dump in parsed))
    text = digest.to_json()
    if output == "hash":
        text = "".join(f"{value}  {name}/{part}\n" for part, value in digest.hashes().items())
    if to is None:
        write([text])
        return CLEAN
    import gzip

    from ipt_explain.outputs import write_file

    content = text.encode("utf-8", "surrogateescape")
    # Without a timestamp, equal digests are equal files.
    packed = gzip.compress(content, mtime=0) if to.endswith(".gz") else content
    write_file(to, [packed], inputs=dumps, may_replace=_is_digest, force=force)
    return CLEAN


def _is_digest(head: bytes) -> bool:
    """Whether a file that begins like this may be overwritten."""
    return head.startswith((b"\x1f\x8b", b'{"schema":"ipt-explain/digest/'))
