"""`ipt-explain schema`: the JSON Schema of a document that the program prints."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from ipt_explain.cli.shared.options import no_pager_option
from ipt_explain.cli.shared.stdio import write
from ipt_explain.errors import UsageError
from ipt_explain.schemas import SCHEMAS, schema_text


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in SCHEMAS if name.startswith(incomplete)]


@click.command()
@click.argument("name", required=False, shell_complete=_complete)
@no_pager_option
def schema(name: str | None) -> None:
    """The JSON Schema of a document that the program prints.

    NAME is the command that prints it: explain, audit, … The number may follow, as in the documents: explain/2. Without
    NAME, lists all documents.
    """
    if name is None:
        write(f"{each}/{number}\n" for each, number in SCHEMAS.items())
        return
    word, _, number = name.removeprefix("ipt-explain/").partition("/")
    if word not in SCHEMAS:
        from ipt_explain.audit.settings.selection import nearest_word

        raise UsageError(f"no document is called {name}{nearest_word(word, SCHEMAS)}; known: {', '.join(SCHEMAS)}")
    if number and number != str(SCHEMAS[word]):
        raise UsageError(f"this release prints {word}/{SCHEMAS[word]}, not {word}/{number}")
    write([schema_text(word)])
