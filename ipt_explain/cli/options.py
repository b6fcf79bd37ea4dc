"""Options that commands share, and the reading of their DUMP arguments."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from ipt_explain.cli.stdio import is_terminal, terminal_width
from ipt_explain.errors import Diagnostic, DumpSyntaxError, UsageError
from ipt_explain.model import Dump

Command = TypeVar("Command", bound=Callable[..., Any])

MAX_DIAGNOSTICS = 20
MIN_WIDTH = 40

NOTHING_TO_READ = (
    "nothing to read. Name a dump (`ipt-explain node.txt`) or pipe one in (`iptables-save | ipt-explain`); "
    "on the node itself, `--live` runs iptables-save."
)


def dump_options(command: Command) -> Command:
    """DUMP..., --live and --lenient, as parameters `dumps`, `live` and `lenient`; `read_dumps` takes all three."""
    command = click.option("--lenient", is_flag=True, help="Skip lines that are not iptables-save syntax, and say how many.")(command)
    command = click.option("--live", is_flag=True, help="Run this node's own iptables-save and ip6tables-save.")(command)
    return click.argument("dumps", nargs=-1, metavar="[DUMP]...", type=click.Path())(command)


def output_option(*formats: str) -> Callable[[Command], Command]:
    """-o/--output, as parameter `output`; the first format is the default."""
    return click.option(
        "-o", "--output", type=click.Choice(formats), default=formats[0], show_default=True, help="What to print."
    )


def selection_options(command: Command) -> Command:
    """--service, --namespace and --address, as parameters `service`, `namespace` and `address` (tuples of words)."""
    command = click.option(
        "--address", multiple=True, metavar="IP", help="Only services with this VIP, external address or endpoint."
    )(command)
    command = click.option("--namespace", "-n", multiple=True, metavar="NS", help="Only this namespace (globs).")(command)
    return click.option(
        "--service", "-s", multiple=True, metavar="[NS/]NAME[:PORT]", help="Only these services (globs); may be repeated."
    )(command)


def display_options(command: Command) -> Command:
    """--color and --width, as parameters `color` (a word for `use_color`) and `width` (columns)."""
    command = click.option(
        "--width", type=click.IntRange(min=MIN_WIDTH), metavar="COLUMNS", callback=_width,
        help="Lay text out for this many columns. [default: the terminal's, else 80]",
    )(command)  # fmt: skip
    return click.option(
        "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True, callback=_color,
        help="Whether to colour text; auto heeds NO_COLOR.",
    )(command)  # fmt: skip


def _width(_: click.Context, __: click.Parameter, width: int | None) -> int:
    return max(MIN_WIDTH, terminal_width(sys.stdout)) if width is None else width


def _color(_: click.Context, __: click.Parameter, color: str) -> bool:
    if color == "auto":
        return is_terminal(sys.stdout) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return color == "always"


def read_dumps(dumps: Sequence[str], live: bool, lenient: bool) -> tuple[Dump, ...]:
    """The dumps that the command line names, each parsed as a source of its own.

    Raises UsageError where there is nothing to read, DumpSyntaxError with the faults of all of them.
    """
    from ipt_explain.parsing import read_dump

    parsed: list[Dump] = []
    faults: list[DumpSyntaxError] = []
    for name, text in _texts(dumps, live):
        try:
            parsed.append(read_dump(text, source=name, lenient=lenient))
        except DumpSyntaxError as error:
            faults.append(error)
    if faults:
        raise joined(faults)
    return tuple(parsed)


def joined(faults: Sequence[DumpSyntaxError]) -> DumpSyntaxError:
    """The faults of several sources as one error."""
    diagnostics: list[Diagnostic] = [diagnostic for fault in faults for diagnostic in fault.diagnostics]
    return DumpSyntaxError(tuple(diagnostics[:MAX_DIAGNOSTICS]), sum(fault.total for fault in faults))
