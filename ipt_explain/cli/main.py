"""The `ipt-explain` program: its commands, its exit status, and what it says when something goes wrong."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ipt_explain import progress
from ipt_explain.cli.shared.stdio import complain, discard_output, finish, prepare_streams, terminal_width
from ipt_explain.collector import collector_paused
from ipt_explain.errors import DumpSyntaxError, IptExplainError
from ipt_explain.render.text.safe import escape

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

USED_BADLY = 2
INTERRUPTED = 130

NEWLINE = "\n"

DEFAULT_COMMAND = "explain"
COMMANDS = (
    "explain", "audit", "trace", "show", "compare", "graph", "report", "rules", "schema", "help", "completion",
)  # fmt: skip

# Options of every command that may also come before the command's name.
_VALUE_OPTIONS = ("--color", "--width")
# Click tries a short option as a long one first, and gives up only after it has translated an error and looked for
# options of similar spelling.
_LONG_FORMS = {"-o": "--output", "-s": "--service", "-n": "--namespace"}


class CommandLine(click.Group):
    """The commands, imported only when used. A first word that names none is a DUMP for `explain`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of that name and return its command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"ipt_explain.cli.{cmd_name}")
        command: click.Command = getattr(module, "help_" if cmd_name == "help" else cmd_name)
        if all(parameter.name != "help" for parameter in command.params):
            _help_option(command)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command's name first if it is missing or follows `--color` or `--width`."""
        if ctx.resilient_parsing and not args:
            return super().parse_args(ctx, args)
        ordered = command_first(args)
        if ordered[0] == DEFAULT_COMMAND and ordered != args and not ctx.resilient_parsing:
            _refuse_no_file(ctx, ordered[1:])
        return super().parse_args(ctx, ordered if ctx.resilient_parsing else _spelled_long(ordered))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with the full question that each answers."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _answers(self.get_command(ctx, name))) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, and files, since a DUMP may come first."""
        from click.shell_completion import CompletionItem

        return [*super().shell_complete(ctx, incomplete), CompletionItem(incomplete, type="file")]


def _print_help(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


# Click's own looks for a translation of its text, which takes longer than reading a small dump.
_help_option = click.option(
    "-h",
    "--help",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_help,
    help="Show this message and exit.",
)


def _answers(command: click.Command | None) -> str:
    return "" if command is None else command.get_short_help_str(limit=200)


def command_first(args: list[str]) -> list[str]:
    """Move the command's name to the front, `explain` if there is none. Options of the program itself stay."""
    index = 0
    while index < len(args) and args[index].startswith(_VALUE_OPTIONS):
        index += 1 if "=" in args[index] else 2
    word = args[index] if index < len(args) else ""
    if word in COMMANDS:
        return [word, *args[:index], *args[index + 1 :]]
    if word in ("-h", "--help", "--version"):
        return args[index:]
    if word == "version" and not os.path.exists(word):
        return ["--version"]
    return [DEFAULT_COMMAND, *args]


def _spelled_long(words: list[str]) -> list[str]:
    """The same command line with common short options spelled long. Words after `--` are no options."""
    options = words.index("--") if "--" in words else len(words)
    return [*(_LONG_FORMS.get(word, word) for word in words[:options]), *words[options:]]


def _refuse_no_file(ctx: click.Context, words: list[str]) -> None:
    """Refuse a misspelled command, which would otherwise be taken for a file: `ipt-explain audti node.txt`."""
    if not words or words[0].startswith("-") or os.path.exists(words[0]):
        return
    from ipt_explain.cli.shared.first_words import meant_by

    meant = meant_by(words[0], words[1:], COMMANDS)
    if meant is not None:
        ctx.fail(meant)


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from ipt_explain import __version__

        click.echo(f"ipt-explain {__version__}")
        ctx.exit()


@click.group(
    cls=CommandLine,
    name="ipt-explain",
    options_metavar="",
    subcommand_metavar="[COMMAND] [OPTIONS] [DUMP]...",
    epilog="A first word that is not a command is a DUMP to explain. `ipt-explain help` lists the help topics. "
    "Exit status: 0 success, 1 findings, differences or an unexpected outcome, 2 unusable input or command line.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
@_help_option
def commands() -> None:
    """Explain what a Kubernetes node's iptables rules do with every Service.

    \b
    iptables-save | ipt-explain
    ipt-explain node.txt
    ipt-explain audit node.txt
    """


def main(args: Sequence[str] | None = None, group: click.Group | None = None) -> None:
    """Run the program, or another `group` of commands, and exit with its status. Never prints a traceback."""
    # Python prints a traceback for exceptions it cannot raise, as for an interrupt while it frees an object.
    sys.unraisablehook = _end_when_interrupted
    prepare_streams()
    with collector_paused():
        status = run(sys.argv[1:] if args is None else list(args), group)
        # Both streams are flushed. Freeing a big dump's million objects one by one would only cost time.
        os._exit(status)


def _end_when_interrupted(unraisable: sys.UnraisableHookArgs) -> None:
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        os._exit(INTERRUPTED)


def run(args: list[str], group: click.Group | None = None, again: Sequence[str] = ()) -> int:
    """Run one command line of the program, or of another `group` of commands. Returns the exit status.

    `again` are the words with which users begin a command that reads the same, if the arguments name other files.
    """
    group = commands if group is None else group
    try:
        status: Any = group.main(args=args, prog_name=group.name, standalone_mode=False, obj=again)
        finish()
        return status if isinstance(status, int) else 0
    except (click.Abort, KeyboardInterrupt):
        progress.hide()
        return INTERRUPTED
    except click.ClickException as error:
        complain(_misuse(error))
        return error.exit_code
    except DumpSyntaxError as error:
        from ipt_explain.render.text.errors import syntax_report

        complain(syntax_report(error, terminal_width(sys.stderr)))
    except IptExplainError as error:
        complain(f"ipt-explain: {escape(str(error), keep=NEWLINE)}")
    except SystemExit:  # click raises this if the reader of a help page has gone
        discard_output()
        return 0
    except OSError as error:  # from click's own printing; ours raises UsageError
        discard_output()
        complain(f"ipt-explain: cannot write the output: {error.strerror or error}")
    except MemoryError:
        complain("ipt-explain: out of memory")
    except Exception as error:  # a bug; users do not need its traceback
        complain(f"ipt-explain: {_internal_error(error)}")
    return USED_BADLY


def _misuse(error: click.ClickException) -> str:
    """Click's message about a command line and how to call the command, with the user's words escaped."""
    text = f"Error: {escape(error.format_message(), keep=NEWLINE)}{_elsewhere(error)}"
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return text
    return f"{context.get_usage()}\nTry '{context.command_path} -h' for help.\n\n{text}"


def _elsewhere(error: click.ClickException) -> str:
    """Name the other commands that have an option which this one lacks."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return ""
    group = error.ctx.find_root()
    others = [
        name
        for name in COMMANDS
        if (command := commands.get_command(group, name)) is not None
        and any(error.option_name in parameter.opts for parameter in command.params)
    ]
    if not others:
        return ""
    from ipt_explain.words import both

    return f"\n{error.option_name} is an option of {both(others)}: ipt-explain {others[0]} {error.option_name} …"


def _internal_error(error: Exception) -> str:
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    line = _line_worked_on(error)
    at_line = "" if line is None else f", at line {line} of the input"
    message = escape(str(error))[:200]
    return (
        f"internal error: {type(error).__name__}{where}{at_line}: {message}\n"
        "This is a bug in ipt-explain, not in the dump. Please report this line, with the dump if you may share it."
    )


def _line_worked_on(error: Exception) -> int | None:
    """The line of the rule in the innermost frame that has one; None if none has."""
    import traceback

    from ipt_explain.model import Rule

    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        for value in frame.f_locals.values():
            if isinstance(value, Rule):
                return value.line
    return None
