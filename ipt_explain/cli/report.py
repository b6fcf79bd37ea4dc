"""`ipt-explain report`: one self-contained file for a ticket."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipt_explain.cli.shared.folders import files_of
from ipt_explain.cli.shared.objects import naming_by, read_cluster
from ipt_explain.cli.shared.options import (
    dump_options,
    file_option,
    no_pager_option,
    output_option,
    read_dumps,
    selection_options,
)
from ipt_explain.cli.shared.stdio import is_terminal, warn, write
from ipt_explain.errors import UsageError
from ipt_explain.records import replace

if TYPE_CHECKING:
    from ipt_explain.audit.runner import Report
    from ipt_explain.compare.objects.model import ApiObjects
    from ipt_explain.model import Dump


@click.command()
@dump_options
@output_option("html", "markdown")
@click.option("--output-file", type=click.Path(path_type=Path), metavar="PATH", help="Write to this file.")
@file_option(
    "--objects",
    help="Also compare with these API objects, and take the names of IPVS virtual servers, pods, nodes and zones from "
    "them: the output of kubectl get services,endpointslices,nodes -A -o json.",
)
@selection_options
@no_pager_option
def report(
    dumps: tuple[str, ...],
    live: bool,
    lenient: bool,
    output: str,
    output_file: Path | None,
    objects: str | None,
    service: tuple[str, ...],
    namespace: tuple[str, ...],
    address: tuple[str, ...],
) -> None:
    """One self-contained file for a ticket: HTML or Markdown.

    It shows the node's state, what is wrong with it (with excerpts and pictures), and what each Service does.

    \b
    ipt-explain report node.txt --output-file node.html
    """
    from ipt_explain.analyzers.selection import Selection, explain_nodes, select
    from ipt_explain.audit.settings.plan import make_plan
    from ipt_explain.render.report.document import document
    from ipt_explain.services.explanation import Explanation

    if output == "html" and output_file is None and is_terminal(sys.stdout):
        raise UsageError("an HTML page needs a file: add --output-file node.html, or > node.html; or use -o markdown")
    selection = Selection.of(service, namespace, address)
    dumps = files_of(dumps)
    parsed = read_dumps(dumps, live, lenient)
    cluster = None if objects is None else read_cluster(objects, dumps)
    named = None if cluster is None else naming_by(cluster, parsed)
    explained = explain_nodes(parsed, named)
    explanation = select(Explanation.joined(explained), selection)
    warn(explanation.warnings)
    plan = make_plan((), (), None, None, None, no_config=True)
    audited = plan.report(parsed, selection, live, named, None if live else explained)
    if cluster is not None:
        audited = _with_cluster(audited, parsed, cluster)
    contents = document(parsed, explanation, audited)
    if output == "markdown":
        from ipt_explain.render.report.markdown import report_markdown

        chunks = report_markdown(contents, audited)
    else:
        from ipt_explain.render.report.html import html

        chunks = html(contents)
    if output_file is None:
        write(chunks)
        return
    from ipt_explain.outputs import write_file

    write_file(output_file, chunks, inputs=[each for each in dumps if each != "-"])


def _with_cluster(audited: Report, parsed: Sequence[Dump], cluster: ApiObjects) -> Report:
    """The audit, preceded by findings that contradict the cluster's objects."""
    from ipt_explain.audit.cluster import cluster_report
    from ipt_explain.compare.objects.cluster import judge_all

    judgement = judge_all(cluster, parsed, None)
    warn(judgement.notes)
    contradicted = cluster_report(judgement.mismatches, parsed)
    return replace(audited, findings=(*contradicted.findings, *audited.findings))
