"""`ipt-explain rules`: the audit's catalogue and its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ipt_explain.cli.shared.options import display_options, output_option, suggested
from ipt_explain.cli.shared.stdio import write
from ipt_explain.errors import UsageError

if TYPE_CHECKING:
    from ipt_explain.audit.rule import AuditRule


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=suggested("rule_ids"))
@output_option("text", "json", "markdown")
@display_options
def rules(ids: tuple[str, ...], output: str, color: bool, width: int) -> None:
    """The audit's catalogue; with an ID (IPT201), its slug or a prefix (IPT2), those rules' pages."""
    from ipt_explain.audit.catalogue import catalogue
    from ipt_explain.audit.settings.selection import nearest_word
    from ipt_explain.render.audit.rule_pages import catalogue_json, catalogue_markdown, catalogue_text, pages_text

    known = catalogue()
    chosen: list[AuditRule] = []
    for word in ids:
        found = [rule for rule in known if rule.id.startswith(word.upper()) or rule.slug == word.lower()]
        if not found:
            names = [name for rule in known for name in (rule.id, rule.slug)]
            raise UsageError(
                f"no rule is called {word}{nearest_word(word.upper(), names) or nearest_word(word.lower(), names)}"
            )
        chosen.extend(rule for rule in found if rule not in chosen)
    if output == "json":
        write([catalogue_json(chosen or known)])
    elif output == "markdown":
        write([catalogue_markdown(chosen or known)])
    elif chosen:
        write(pages_text(chosen, width, color))
    else:
        write(catalogue_text(known, width, color))
