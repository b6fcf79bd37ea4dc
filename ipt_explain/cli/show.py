"""`ipt-explain show`: what a chain or a single rule does, in plain English."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from ipt_explain.cli.shared.options import display_options, output_option, read_dumps, source_options, suggested
from ipt_explain.cli.shared.stdio import warn, write
from ipt_explain.errors import UsageError
from ipt_explain.inputs.files import STANDARD_INPUT

if TYPE_CHECKING:
    from ipt_explain.analyzers.profiles.chains import ChainFacts
    from ipt_explain.analyzers.profiles.nft_chains import NftChainFacts, NftPlace, NftSetFacts, NftTableFacts
    from ipt_explain.analyzers.profiles.tables import TableFacts
    from ipt_explain.model import Dump, Ruleset
    from ipt_explain.render.english.glossary import Glossary

_SERVICE = re.compile(r"[a-z0-9-]+/[a-z0-9.-]+:[a-z0-9-]*|[\d.]+:\d+/[a-z]+|\[[0-9a-f:]+\]:\d+/[a-z]+")
_NFT_CHAIN = re.compile(r"(?:service|local|external|firewall|endpoint|affinity)-[A-Z2-7*?]+-?[a-z0-9*?-]*/\S*")
"""Chains and sets of kube-proxy's nftables mode have slashes in their names."""
_NAMESPACED = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")

# The largest --depth. Each chain is shown only once, but nobody reads further than this.
DEEPEST = 16


@click.command()
@click.argument("words", nargs=-1, metavar="[NAME]... [DUMP]...", shell_complete=suggested("chains_and_files"))
@click.option("--rule", "rules", multiple=True, metavar="TEXT", help="Explain this one rule; needs no DUMP.")
@click.option("--table", metavar="TABLE", help="Only chains of this table; with --rule: the rule's table.")
@click.option(
    "--depth",
    type=click.IntRange(0, DEEPEST),
    default=0,
    metavar="N",
    help="Also show the chains that a chain leads to, up to N jumps away.",
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

    NAME is a chain's name, with * and ? for several, or a Service (`kube-dns`, `kube-system/kube-dns:dns`,
    `10.96.0.10:53`). Without NAME, all tables and chains are summed up by who wrote them. A word that names a file is a
    DUMP.
    """
    names, dumps = split_words(words)
    if rules:
        if names:
            raise click.UsageError(f"name a chain ({names[0]}) or give a --rule, not both")
        write(_rules(rules, table, read_dumps(dumps, live, lenient) if dumps or live else (), output, color, width))
        return
    parsed = read_dumps(dumps, live, lenient)
    warn(warning for dump in parsed for warning in dump.warnings)
    write(_shown(parsed, names, table, depth, output, color, width))


def _shown(
    dumps: Sequence[Dump], names: Sequence[str], table: str | None, depth: int, output: str, color: bool, width: int
) -> Iterable[str]:
    """Chains by name, or all tables: first those of iptables, then those of nftables."""
    tables: Sequence[TableFacts] = ()
    chains: Sequence[ChainFacts] = ()
    nft_tables: Sequence[NftTableFacts] = ()
    nft_chains: Sequence[NftChainFacts] = ()
    nft_sets: Sequence[NftSetFacts] = ()
    places: Sequence[NftPlace] = ()
    left = names  # those that nftables does not have
    rulesets = [ruleset for dump in dumps for ruleset in dump.rulesets]
    nftables = [dump.nft for dump in dumps if dump.nft is not None]
    if nftables:
        from ipt_explain.analyzers.profiles import nft_chains as nft
        from ipt_explain.analyzers.profiles.named_services import chains_meant

        places = nft.nft_places(nftables, table)
        nft_chains, nft_sets, left = nft.nft_chains(places, names, depth, lambda name: chains_meant(dumps, name))
        nft_tables = [] if names else [nft.table_facts(place) for place in places]
        if left and not rulesets:
            raise nft.no_such(left)
        if not places and not rulesets:
            raise UsageError(f"there is no table {table} here")
    elsewhere = places and table is not None and not any(table in ruleset.tables for ruleset in rulesets)
    if (left or not names) and not elsewhere and (rulesets or not nftables):
        tables, chains = _of_iptables(dumps, rulesets, left, table, depth)
    if output == "json":
        from ipt_explain.render.show.json import show_json

        return show_json(tables, chains, nft_tables=nft_tables, nft_chains=nft_chains, nft_sets=nft_sets)
    return _text(tables, chains, nft_tables, nft_chains, nft_sets, color, width)


def _of_iptables(
    dumps: Sequence[Dump], rulesets: Sequence[Ruleset], names: Sequence[str], table: str | None, depth: int
) -> tuple[Sequence[TableFacts], Sequence[ChainFacts]]:
    """The tables of iptables, or its chains by name."""
    from ipt_explain.analyzers.profiles.chains import find_chains, places

    among = places(rulesets, table)
    if names:
        from ipt_explain.analyzers.profiles.named_services import chains_meant, service_names

        meant = partial(chains_meant, dumps)
        return [], find_chains(among, names, depth, meant, partial(service_names, dumps))
    from ipt_explain.analyzers.profiles.tables import table_facts

    return [table_facts(place) for place in among], []


def _text(
    tables: Sequence[TableFacts],
    chains: Sequence[ChainFacts],
    nft_tables: Sequence[NftTableFacts],
    nft_chains: Sequence[NftChainFacts],
    nft_sets: Sequence[NftSetFacts],
    color: bool,
    width: int,
) -> Iterator[str]:
    parts: list[Iterator[str]] = []
    if tables:
        from ipt_explain.render.show.overview import overview_text

        parts.append(overview_text(tables, width, color))
    if nft_tables:
        from ipt_explain.render.show.nft_overview import nft_overview_text

        parts.append(nft_overview_text(nft_tables, width, color))
    if chains:
        from ipt_explain.render.show.chain import chains_text

        parts.append(chains_text(chains, width, color))
    if nft_chains or nft_sets:
        from ipt_explain.render.show.nft_chain import nft_chains_text

        parts.append(nft_chains_text(nft_chains, nft_sets, width, color))
    for number, part in enumerate(parts):
        if number:
            yield "\n"
        yield from part


def split_words(words: Iterable[str]) -> tuple[list[str], list[str]]:
    """Split words into names of chains and of dumps. A word is a dump if a file has that name, or if it looks like a
    path.

    `NAMESPACE/NAME:PORT` is a Service's name unless such a file exists; so is `NAMESPACE/NAME` if another word is
    certainly a dump.
    """
    words = list(words)
    dump_is_named = any(word == STANDARD_INPUT or os.path.exists(word) for word in words)
    names: list[str] = []
    dumps: list[str] = []
    for word in words:
        is_service = _SERVICE.fullmatch(word) or (dump_is_named and _NAMESPACED.fullmatch(word))
        is_name = is_service or _NFT_CHAIN.fullmatch(word)
        is_path = (os.sep in word and not is_name) or word.endswith((".txt", ".gz"))
        is_dump = word == STANDARD_INPUT or is_path or os.path.exists(word)
        (dumps if is_dump else names).append(word)
    return names, dumps


def _rules(
    texts: Iterable[str], table: str | None, dumps: Sequence[Dump], output: str, color: bool, width: int
) -> Iterable[str]:
    from ipt_explain.analyzers.profiles.single_rules import read_pasted_rules

    rules = [rule for text in texts for rule in read_pasted_rules(text, table)]
    glossary = _glossary(dumps)
    if output == "json":
        from ipt_explain.render.show.json import show_json

        return show_json(rules=rules, glossary=glossary)
    from ipt_explain.render.show.rule import rules_text

    return rules_text(rules, glossary, width, color)


def _glossary(dumps: Sequence[Dump]) -> Glossary:
    """The names of marks in the dump's first ruleset, else Kubernetes' defaults; chains by name alone."""
    from ipt_explain.analyzers.profiles.mark_bits import DEFAULT_MARKS, mark_names
    from ipt_explain.render.english.glossary import Glossary
    from ipt_explain.render.show.chain_words import purpose_by_name

    rulesets = [ruleset for dump in dumps for ruleset in dump.rulesets]
    return Glossary(mark_names(rulesets[0]) if rulesets else DEFAULT_MARKS, purpose_by_name)
