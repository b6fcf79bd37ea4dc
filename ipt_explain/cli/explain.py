"""`ipt-explain explain`: what this node does with every Service."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click

from ipt_explain.cli.options import display_options, dump_options, output_option, read_dumps, selection_options
from ipt_explain.cli.stdio import warn, write


@click.command()
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
    from ipt_explain.analyzers import explain as explain_dump
    from ipt_explain.analyzers.merging import merged
    from ipt_explain.analyzers.selection import Selection, select

    selection = Selection.of(service, namespace, address)
    parsed = read_dumps(dumps, live, lenient)
    everything = merged([explain_dump(dump) for dump in parsed])
    chosen = select(everything, selection)
    warn((*(warning for dump in parsed for warning in dump.warnings), *chosen.warnings))
    write(_rendered(chosen, len(everything.services), output, color, width))
