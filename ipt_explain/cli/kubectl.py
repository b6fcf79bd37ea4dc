"""`kubectl iptexplain`: a kubectl plugin that collects nodes' rules with the user's own kubectl and explains or
compares them. Any other words are arguments of `ipt-explain`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ipt_explain.cli import main as program
from ipt_explain.cli.shared.nodes import NodeOptions, cluster_options, folded, made_by
from ipt_explain.cli.shared.options import Command, Printing, as_record, display_options, with_options
from ipt_explain.errors import UsageError
from ipt_explain.inputs.kubectl import Kubectl, cluster_objects, collect, node_list, proxy_pods, wanted_nodes
from ipt_explain.inputs.nodes.packing import HEAD
from ipt_explain.outputs import write_file

if TYPE_CHECKING:
    from ipt_explain.compare.fleet.engines.processes import Task
    from ipt_explain.compare.objects.model import ApiObjects
    from ipt_explain.inputs.kubectl import Collected

_OWN = ("nodes", "node")
_PROGRAM = "kubectl iptexplain"


def _kubectl_options(command: Command) -> Command:
    """Options for calling kubectl; `_kubectl` takes them."""
    options = (
        click.option("--context", metavar="NAME", help="kubectl's context."),
        click.option("--kubeconfig", metavar="FILE", type=click.Path(), help="kubectl's configuration file."),
        click.option("--timeout", metavar="SECONDS", type=click.FloatRange(0.1), default=30.0, show_default=True,
                     help="Give up a call to a node after this time."),
        click.option("--retries", metavar="N", type=click.IntRange(0, 100), default=1, show_default=True,
                     help="Retry such a call this many times."),
        click.option("--debug", is_flag=True, help="Use `kubectl debug node/…` instead of kube-proxy's pods."),
        click.option("--proxy-namespace", metavar="NAME", default="kube-system", show_default=True,
                     help="Where kube-proxy's pods are."),
        click.option("--proxy-selector", metavar="LABELS", default="k8s-app=kube-proxy", show_default=True,
                     help="The labels of kube-proxy's pods."),
        click.option("--proxy-container", metavar="NAME", default="kube-proxy", show_default=True,
                     help="The container in them."),
    )  # fmt: skip
    return with_options(options, command)


def _kubectl(given: dict[str, Any]) -> Kubectl:
    options: list[str] = []
    for name in ("context", "kubeconfig"):
        if given[name]:
            options += [f"--{name}", str(given[name])]
    return Kubectl(
        tuple(options), given["proxy_namespace"], given["proxy_selector"], given["proxy_container"],
        given["timeout"], given["retries"], given["debug"],
    )  # fmt: skip


@click.group(name=_PROGRAM, context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Collect nodes' iptables rules with kubectl, and explain or compare them.

    \b
    kubectl iptexplain nodes                       which nodes differ, and how?
    kubectl iptexplain nodes --objects             ... from what the cluster wants?
    kubectl iptexplain node worker-3 audit         any command on one node's rules
    iptables-save | kubectl iptexplain             other words are those of ipt-explain
    """


@commands.command()
@click.argument("nodes_wanted", nargs=-1, metavar="[NODE]...")
@_kubectl_options
@click.option("-P", "--parallel", metavar="N", type=click.IntRange(1, 256), default=16, show_default=True,
              help="Ask this many nodes at the same time.")  # fmt: skip
@click.option("--keep", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Keep the dumps there.")
@click.option("--objects", is_flag=True, help="Judge the nodes against the cluster's Services and endpoints.")
@click.option("-o", "--output", type=click.Choice(("text", "json", "openmetrics")), default="text", show_default=True,
              help="What to print.")  # fmt: skip
@cluster_options
@display_options
@as_record("printing", Printing)
def nodes(
    nodes_wanted: tuple[str, ...],
    parallel: int,
    keep: Path | None,
    objects: bool,
    jobs: int | None,
    dask: str | None,
    allow_missing: str,
    names: bool,
    printing: Printing,
    **given: Any,
) -> int:
    """Compare the rules of all nodes, or of the named ones."""
    kubectl = _kubectl(given)
    wanted = wanted_nodes(node_list(kubectl), nodes_wanted)
    pods = {} if kubectl.debug else proxy_pods(kubectl)
    cluster = _cluster(kubectl) if objects else None
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    how = NodeOptions(jobs=jobs, dask=dask, allow_missing=allow_missing, names=names)
    work = (_task(each, keep) for each in collect(kubectl, wanted, pods, parallel))
    found = folded(made_by(work, how, cluster, len(wanted) > parallel), len(wanted), ())
    if cluster is None:
        from ipt_explain.cli.compare import print_comparison

        return print_comparison(found.fleet, how, None, printing)
    from ipt_explain.audit.settings.plan import make_plan
    from ipt_explain.cli.shared.cluster import Judging, print_judgement

    plan = make_plan((), (), None, None, None, True)
    return print_judgement(found, (), how, Judging("", plan, printing, None, False))


@commands.command(
    short_help="Run a command on one node's rules: explain, audit, trace …",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@_kubectl_options
@click.argument("name", metavar="NODE")
@click.argument("words", nargs=-1, metavar="[COMMAND [OPTIONS]]", type=click.UNPROCESSED)
def node(name: str, words: tuple[str, ...], **given: Any) -> int:
    """Run a command of ipt-explain (explain, audit, trace ...) on one node's rules."""
    kubectl = _kubectl(given)
    pods = {} if kubectl.debug else proxy_pods(kubectl)
    (collected,) = collect(kubectl, (name,), pods, 1)
    if collected.why is not None:
        raise UsageError(f"{name}: {collected.why}")
    with tempfile.TemporaryDirectory(prefix="ipt-explain-") as folder:
        files = []
        for suffix, text in collected.texts:
            path = Path(folder, f"{name}.{suffix}.txt")
            path.write_bytes(text)
            files.append(str(path))
        return program.run([*words, *files], again=(*_PROGRAM.split(), "node", *_options_given(), name))


def _options_given() -> Iterator[str]:
    """The options of the current command as the user gave them."""
    context = click.get_current_context()
    for option in context.command.params:
        given = context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
        if given and isinstance(option, click.Option):
            yield option.opts[0]
            if not option.is_flag:
                yield str(context.params[str(option.name)])


def _cluster(kubectl: Kubectl) -> ApiObjects:
    from ipt_explain.compare.objects.reading import read_objects
    from ipt_explain.inputs.decoding import decode

    return read_objects(decode(cluster_objects(kubectl), "kubectl get"), "kubectl get")


def _task(collected: Collected, keep: Path | None) -> Task:
    """The task of digesting a node's output; if there is none, the task reports why."""
    from ipt_explain.compare.fleet.engines.processes import Task
    from ipt_explain.compare.fleet.nodes import NodeJob
    from ipt_explain.inputs.nodes.kinds import FileKind, kind_of
    from ipt_explain.inputs.nodes.sources import SourceFile
    from ipt_explain.inputs.nodes.unreadable import UnreadableFile

    contents: list[tuple[SourceFile, bytes | UnreadableFile]] = []
    if collected.why is not None:
        entry = SourceFile(collected.node, "-", FileKind.EMPTY)
        contents.append((entry, UnreadableFile(collected.node, collected.why)))
    for suffix, text in collected.texts:
        path = f"{collected.node}.{suffix}.txt"
        if keep is not None:
            path = str(keep / path)
            write_file(path, [text], force=True)
        contents.append((SourceFile(path, "-", kind_of(text[:HEAD])), text))
    return Task(NodeJob(collected.node, tuple(entry for entry, _ in contents)), tuple(contents))


def main() -> None:
    """Run the plugin and exit with its status."""
    words = sys.argv[1:]
    own = bool(words) and words[0] in (*_OWN, "-h", "--help")
    program.main(words, commands if own else None)
