"""`ipt-explain completion`: the completion script for a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ipt_explain.cli.shared.stdio import write

VARIABLE = "_IPT_EXPLAIN_COMPLETE"


@click.command(
    epilog='In ~/.bashrc: eval "$(ipt-explain completion bash)". In ~/.zshrc, after compinit: '
    'eval "$(ipt-explain completion zsh)". In ~/.config/fish/config.fish: ipt-explain completion fish | source.'
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """The completion script for bash, zsh or fish.

    It completes commands and options, rules, and the Services, namespaces and chains of the dump on the command line.
    """
    found = get_completion_class(shell)
    program = context.find_root().command
    if found is not None:
        write([found(program, {}, "ipt-explain", VARIABLE).source(), "\n"])
