"""`ipt-explain show`: what a chain or a single rule does, in plain English."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import click

from ipt_explain.cli.shared.options import display_options, output_option, read_dumps, source_options, suggested
from ipt_explain.cli.shared.stdio import warn, write
from ipt_explain.inputs.files import STANDARD_INPUT

if TYPE_CHECKING:
    from ipt_explain.model import Dump, nft
    from ipt_explain.render.english.glossary import Glossary

_SERVICE = re.compile(r"[a-z0-9-]+/[a-z0-9.-]+:[a-z0-9-]*")

# How far --depth may go: a chain is shown once, whatever its depth, but nobody reads further.
DEEPEST = 16


@click.command()
@click.argument("words", nargs=-1, metavar="[NAME]... [DUMP]...", shell_complete=suggested("chains_and_files"))
@click.option("--rule", "rules", multiple=True, metavar="TEXT", help="Explain this one rule; needs no DUMP.")
@click.option("--table", metavar="TABLE", help="Only chains of this table; for --rule, the table that it is in.")
@click.option(
    "--depth",
    type=click.IntRange(0, DEEPEST),
    default=0,
    metavar="N",
    help="Show the chains that a chain leads to, too, up to N jumps away.",
)
@source_options
@output_option("text", "json")
@display_options
def show(
    words: tuple[str, ...],
    rules: tuple[str, ...],
    table: str | None,
    depth: int,
    live: bool,
    lenient: bool,
    output: str,
    color: bool,
    width: int,
) -> None:
    """What does this chain or this one rule do, in plain English, and who wrote it?

    NAME is a chain's name, or several by * and ?, or a Service (`kube-dns`, `kube-system/kube-dns:dns`,
    `10.96.0.10:53`); with none, all tables and chains are summed up by who wrote them. A word that names a file is a
    DUMP.
    """
    names, dumps = split_words(words)
    if rules:
        if names:
            raise click.UsageError(f"name a chain ({names[0]}) or give a --rule, not both")
        write(_rules(rules, table, read_dumps(dumps, live, lenient) if dumps or live else (), output, color, width))
        return
    parsed = read_dumps(dumps, live, lenient, nftables_too=bool(names) and output == "text")
    warn(warning for dump in parsed for warning in dump.warnings)
    nftables = [dump.nft for dump in parsed if dump.nft is not None]
    if nftables and names:
        found, names = _of_nftables(nftables, names, table)
        write(found(color, width))
        if not names:
            return
    write(_chains(parsed, names, table, depth, output, color, width))


def _of_nftables(
    rulesets: Sequence[nft.Ruleset], names: Sequence[str], table: str | None
) -> tuple[Callable[[bool, int], Iterable[str]], list[str]]:
    """The chains of nftables that fit the names, to be printed, and the names that none fits."""
    from ipt_explain.analyzers.profiles.nft_chains import nft_chains
    from ipt_explain.render.show.nft_chain import nft_chains_text

    found, left = nft_chains(rulesets, names, table)
    return lambda color, width: nft_chains_text(found, width, color), left


def split_words(words: Iterable[str]) -> tuple[list[str], list[str]]:
    """Names of chains and of dumps: a word is a dump's where a file has that name, or where it looks like a path.

    `NAMESPACE/NAME:PORT` is a Service's name unless there is such a file.
    """
    names: list[str] = []
    dumps: list[str] = []
    for word in words:
        is_path = (os.sep in word and not _SERVICE.fullmatch(word)) or word.endswith((".txt", ".gz"))
        is_dump = word == STANDARD_INPUT or is_path or os.path.exists(word)
        (dumps if is_dump else names).append(word)
    return names, dumps


def _chains(
    dumps: Sequence[Dump], names: Sequence[str], table: str | None, depth: int, output: str, color: bool, width: int
) -> Iterable[str]:
    from ipt_explain.analyzers.profiles.chains import find_chains, places
    from ipt_explain.analyzers.profiles.named_services import chains_meant

    among = places([ruleset for dump in dumps for ruleset in dump.rulesets], table)
    if names:
        chains = find_chains(among, names, depth, lambda name: chains_meant(dumps, name))
        if output == "json":
            from ipt_explain.render.show.json import show_json

            return [show_json(chains=chains)]
        from ipt_explain.render.show.chain import chains_text

        return chains_text(chains, width, color)
    from ipt_explain.analyzers.profiles.tables import table_facts

    tables = [table_facts(place) for place in among]
    if output == "json":
        from ipt_explain.render.show.json import show_json

        return [show_json(tables=tables)]
    from ipt_explain.render.show.overview import overview_text

    return overview_text(tables, width, color)


def _rules(
    texts: Iterable[str], table: str | None, dumps: Sequence[Dump], output: str, color: bool, width: int
) -> Iterable[str]:
    from ipt_explain.analyzers.profiles.single_rules import read_rules

    rules = [rule for text in texts for rule in read_rules(text, table)]
    glossary = _glossary(dumps)
    if output == "json":
        from ipt_explain.render.show.json import show_json

        return [show_json(rules=rules, glossary=glossary)]
    from ipt_explain.render.show.rule import rules_text

    return rules_text(rules, glossary, width, color)


def _glossary(dumps: Sequence[Dump]) -> Glossary:
    """What the dump's first ruleset calls its marks, else Kubernetes' defaults; chains by their names alone."""
    from ipt_explain.analyzers.profiles.mark_bits import DEFAULT_MARKS, mark_names
    from ipt_explain.render.english.glossary import Glossary
    from ipt_explain.render.show.chain_words import purpose_of

    rulesets = [ruleset for dump in dumps for ruleset in dump.rulesets]
    return Glossary(mark_names(rulesets[0]) if rulesets else DEFAULT_MARKS, purpose_of)
