"""Options that commands share, and reading their DUMP arguments."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from ipt_explain.cli.shared.stdio import complain, note, terminal_width, wants_color, warn
from ipt_explain.errors import Diagnostic, DumpSyntaxError, UsageError
from ipt_explain.records import Record, replace
from ipt_explain.render.text.safe import escape
from ipt_explain.words import either

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ipt_explain.inputs import InputText
    from ipt_explain.model import Dump
    from ipt_explain.model.dump import FailedTool

Command = TypeVar("Command", bound=Callable[..., Any])

MAX_DIAGNOSTICS = 20
# The context key of --save, which few commands need.
SAVED_TO = "ipt_explain.save"
MIN_WIDTH = 40
# Characters. Smaller dumps are read too quickly for progress.
_LARGE = 1 << 18
NO_RULES = (
    "{}: there are no rules in it. iptables-save prints nothing unless it may read the rules: run it as root. "
    "In nftables mode, kube-proxy's rules are in the output of `nft list ruleset`; nft 0.9.8 (Debian 11) crashes on "
    "them and prints nothing: use a newer one"
)


def suggested(name: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """A completion function that imports and calls the function of this name in `suggestions`."""

    def found(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from ipt_explain.cli.shared import suggestions

        items: list[CompletionItem] = getattr(suggestions, name)(context, parameter, incomplete)
        return items

    return found


# Not of the type click.Path, which looks for a translation of its name: that takes longer than reading a small dump.
FILE_NAME = suggested("file_names")
file_option = partial(click.option, metavar="FILE", shell_complete=FILE_NAME)
names_option = file_option(
    "--objects",
    help="Take the names of IPVS virtual servers, pods, nodes and zones from this file: the output of kubectl get "
    "services,endpointslices,nodes -A -o json.",
)


def dump_options(command: Command) -> Command:
    """DUMP..., --live and --lenient, as parameters `dumps`, `live` and `lenient`; `read_dumps` takes all three."""
    return click.argument("dumps", nargs=-1, metavar="[DUMP]...", shell_complete=FILE_NAME)(source_options(command))


def source_options(command: Command) -> Command:
    """--live and --lenient, for commands whose arguments are not all dumps."""
    options = (
        click.option("--live", is_flag=True, help="Run this node's own iptables-save, nft, ipset, ipvsadm and ip."),
        file_option(
            "--save",
            expose_value=False,
            callback=_keep_save,
            help="With --live: write what they print to this file; line numbers then refer to it.",
        ),
        click.option("--lenient", is_flag=True, help="Skip lines that are not iptables-save syntax, and count them."),
    )
    return with_options(options, command)


def _keep_save(context: click.Context, _: click.Parameter, path: str | None) -> None:
    context.meta[SAVED_TO] = path


def output_option(*formats: str) -> Callable[[Command], Command]:
    """-o/--output, as parameter `output`; the first format is the default."""
    return click.option(
        "-o", "--output", type=click.Choice(formats), default=formats[0], metavar="FORMAT",
        help=f"What to print: {either(formats)}.  [default: {formats[0]}]",
    )  # fmt: skip


def selection_options(command: Command) -> Command:
    """--service, --namespace and --address, as parameters `service`, `namespace` and `address` (tuples of words)."""
    options = (
        click.option(
            "-s", "--service", multiple=True, metavar="[NS/]NAME[:PORT]",
            help="Only these Services; * and ? are wildcards.", shell_complete=suggested("service_names"),
        ),
        click.option(
            "-n", "--namespace", multiple=True, metavar="NS", help="Only this namespace; * and ? are wildcards.",
            shell_complete=suggested("namespaces"),
        ),
        click.option(
            "--address", multiple=True, metavar="IP", help="Only Services with this address or endpoint.",
            shell_complete=suggested("addresses"),
        ),
    )  # fmt: skip
    return with_options(options, command)


def display_options(command: Command) -> Command:
    """--color and --width, as parameters `color` (bool) and `width` (columns), and --no-pager."""
    options = (
        click.option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            show_default=True,
            callback=_color,
            help="Whether to colour text; auto heeds NO_COLOR, FORCE_COLOR and CLICOLOR_FORCE.",
        ),
        click.option(
            "--width",
            type=int,
            metavar="COLUMNS",
            callback=_width,
            help="Wrap text to this many columns, at least 40.  [default: the terminal's, else 80]",
        ),
        no_pager_option,
    )
    return with_options(options, command)


def no_pager_option(command: Command) -> Command:
    """--no-pager, which takes effect by itself."""
    return click.option(
        "--no-pager",
        is_flag=True,
        expose_value=False,
        callback=_no_pager,
        help="Do not send long output through a pager.",
    )(command)


def _no_pager(_: click.Context, __: click.Parameter, wanted: bool) -> None:
    if wanted:
        from ipt_explain.cli.shared.pager import without_pager

        without_pager()


def with_options(options: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    """Add options to a command, in the order of its help page."""
    for option in reversed(options):
        command = option(command)
    return command


def as_record(name: str, kind: type[Record]) -> Callable[[Command], Command]:
    """Pass the parameters that are fields of a kind of record as one such record of this name."""

    def with_record(command: Command) -> Command:
        @wraps(command)
        def call(**given: Any) -> Any:
            return command(**{name: kind(**{field: given.pop(field) for field in kind.__match_args__})}, **given)

        return cast(Command, call)

    return with_record


class Printing(Record):
    """The format to print, for what width, and whether in colour."""

    output: str
    width: int
    color: bool


def _width(_: click.Context, __: click.Parameter, width: int | None) -> int:
    return max(MIN_WIDTH, terminal_width(sys.stdout) if width is None else width)


def _color(_: click.Context, __: click.Parameter, color: str) -> bool:
    return wants_color(sys.stdout) if color == "auto" else color == "always"


def read_dumps(dumps: Sequence[str], live: bool, lenient: bool, empty_too: bool = False) -> tuple[Dump, ...]:
    """The dumps that the command line names, parsed separately; dumps of one node share the facts besides rules.

    Raises UsageError if there is nothing to read, or no rules unless `empty_too`; DumpSyntaxError with the faults of
    all dumps.
    """
    from ipt_explain.inputs import read_inputs
    from ipt_explain.parsing import read_dump

    save = click.get_current_context().meta.get(SAVED_TO)
    if live and dumps:
        raise UsageError("--live reads this node's own rules: leave out either the files or --live")
    if save is not None and not live:
        raise UsageError("--save keeps what --live reads: add --live")
    parsed: list[Dump] = []
    faults: list[DumpSyntaxError] = []
    inputs, failed = _live(save) if live else (read_inputs(dict.fromkeys(dumps)), ())
    if sum(len(source.text) for source in inputs) > _LARGE:
        from ipt_explain.cli.shared.waiting import show_progress

        show_progress()
    for source in inputs:
        try:
            parsed.append(read_dump(source.text, source=source.name, lenient=lenient))
        except DumpSyntaxError as error:
            faults.append(error)
    if faults:
        raise _joined(faults)
    shared = tuple(parsed)
    if not empty_too and not all(map(_shows_anything, parsed)):
        without = NO_RULES.format(", ".join(dump.source for dump in parsed if not _shows_anything(dump)))
        shared = tuple(filter(_shows_anything, parsed))
        if not shared:
            raise UsageError(without)
        if not live:
            warn([without])
    if failed:
        first, *others = shared
        shared = (replace(first, failed=failed, warnings=(*first.warnings, *map(str, failed))), *others)
    if len(shared) > 1:
        from ipt_explain.model.node.joining import with_shared_facts

        shared = with_shared_facts(shared)
    if live:
        from ipt_explain.analyzers.found_mode import found_mode

        complain(f"note: {escape(found_mode(shared))}")
    return shared


def _shows_anything(dump: Dump) -> bool:
    return bool(dump.rulesets or dump.node or dump.nft)


def _live(save: str | None) -> tuple[tuple[InputText, ...], tuple[FailedTool, ...]]:
    """The output of the node's tools, one text each, and those that failed; or all in one text if it is saved."""
    from ipt_explain.inputs.live import read_live

    rules = read_live()
    note(rules.notes)
    if save is None:
        from ipt_explain.model.dump import FailedTool

        return rules.inputs, tuple(FailedTool("--live", each.name, each.reason) for each in rules.failed)
    from ipt_explain.inputs.live.saving import as_one_file, is_such_a_file
    from ipt_explain.outputs import write_file

    file = as_one_file(rules, save)
    write_file(save, [file.text], may_replace=is_such_a_file, otherwise="save to another file")
    return (file,), ()


def _joined(faults: Sequence[DumpSyntaxError]) -> DumpSyntaxError:
    """The faults of several sources as one error."""
    diagnostics: list[Diagnostic] = [diagnostic for fault in faults for diagnostic in fault.diagnostics]
    return DumpSyntaxError(tuple(diagnostics[:MAX_DIAGNOSTICS]), sum(fault.total for fault in faults))
