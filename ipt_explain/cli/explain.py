"""`ipt-explain explain`: what this node does with every Service."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

import click

from ipt_explain.cli.options import (
    NO_RULES,
    display_options,
    dump_options,
    output_option,
    read_dumps,
    selection_options,
)
from ipt_explain.cli.stdio import warn, write
from ipt_explain.records import replace

if TYPE_CHECKING:
    from ipt_explain.services.explanation import Explanation


@click.command(
    epilog='In the tree, "even" holds to within 0.0000002 %, the grain of the kernel\'s 31-bit probabilities; '
    "any wider bound is stated."
)
@dump_options
@output_option("tree", "table", "json")
@selection_options
@display_options
def explain(
    dumps: tuple[str, ...],
    live: bool,
    lenient: bool,
    output: str,
    service: tuple[str, ...],
    namespace: tuple[str, ...],
    address: tuple[str, ...],
    color: bool,
    width: int,
) -> None:
    """What does this node do with every Service? (the default command)

    DUMP is a file, or - for standard input: what iptables-save, ip6tables-save or iptables -S print, whole or in part.
    """
    from ipt_explain.analyzers.selection import Selection, explain_selected

    selection = Selection.of(service, namespace, address)
    read = read_dumps(dumps, live, lenient, empty_too=not selection)
    explanation, total = explain_selected(read, selection)
    if not explanation.rulesets and not any(dump.node for dump in read):
        said = NO_RULES.format(", ".join(dump.source for dump in read))
        explanation = replace(explanation, warnings=(*explanation.warnings, said))
    warn(explanation.warnings)
    write(_rendered(explanation, total if selection else None, output, color, width))


def _rendered(explanation: Explanation, total: int | None, output: str, color: bool, width: int) -> Iterable[str]:
    if output == "json":
        return chain(explanation.json_chunks(), "\n")
    if output == "table":
        from ipt_explain.render.explain.table import table

        return table(explanation)
    from ipt_explain.render.explain.tree import tree

    return tree(explanation, width, color, total)
