"""`ipt-explain graph`: the chain graph, as a file for other programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from ipt_explain.cli.shared.options import dump_options, no_pager_option, output_option, read_dumps, suggested
from ipt_explain.cli.shared.stdio import warn, write
from ipt_explain.errors import UsageError

if TYPE_CHECKING:
    from ipt_explain.analyzers.profiles.chains import TablePlace
    from ipt_explain.graph.neighbourhood import Neighbourhood
    from ipt_explain.model import Dump
    from ipt_explain.render.graph.drawing import Drawing
    from ipt_explain.render.graph.notes import Notes

# Beyond this many arrows Graphviz's layout takes minutes, and nobody can read it.
MOST_ARROWS = 2000


@click.command()
@dump_options
@output_option("dot", "mermaid", "graphml", "json")
@click.option("--table", metavar="TABLE", help="Only this table.")
@click.option(
    "-s", "--service", multiple=True, metavar="[NS/]NAME[:PORT]", shell_complete=suggested("service_names"),
    help="Only the chains of these Services; * and ? are wildcards.",
)  # fmt: skip
@click.option(
    "--chain", multiple=True, metavar="NAME", help="Only this chain, those that lead to it and those it leads to.",
    shell_complete=suggested("chain_names"),
)  # fmt: skip
@no_pager_option
def graph(
    dumps: tuple[str, ...],
    live: bool,
    lenient: bool,
    output: str,
    table: str | None,
    service: tuple[str, ...],
    chain: tuple[str, ...],
) -> None:
    """The chain graph, as a file for Graphviz, Mermaid or NetworkX.

    \b
    ipt-explain graph --service shop/cart node.txt | dot -Tsvg -o cart.svg
    """
    parsed = read_dumps(dumps, live, lenient)
    drawn = _with_nftables if any(dump.nft is not None for dump in parsed) else _of_iptables
    picture = drawn(parsed, table, service, chain)
    warn((*(warning for dump in parsed for warning in dump.warnings), *_sizes(picture, output)))
    write(_rendered(picture, output))


def _of_iptables(dumps: Sequence[Dump], table: str | None, services: Sequence[str], chains: Sequence[str]) -> Drawing:
    """A picture of iptables' tables."""
    from ipt_explain.analyzers.profiles.chains import places
    from ipt_explain.render.graph.iptables_drawing import drawing

    among = places([ruleset for dump in dumps for ruleset in dump.rulesets], table)
    return drawing(_parts(dumps, among, services, chains), _notes(dumps))


def _with_nftables(dumps: Sequence[Dump], table: str | None, services: Sequence[str], chains: Sequence[str]) -> Drawing:
    """A picture of nftables' tables, together with those of iptables."""
    from ipt_explain.analyzers.profiles.chains import places
    from ipt_explain.analyzers.profiles.named_services import chains_of_services
    from ipt_explain.analyzers.profiles.nft_chains import nft_chains, nft_places, no_such
    from ipt_explain.render.graph.drawing import Drawing
    from ipt_explain.render.graph.iptables_drawing import drawing
    from ipt_explain.render.graph.nft_drawing import NftPart, nft_drawing

    among = nft_places([dump.nft for dump in dumps if dump.nft is not None], table)
    rulesets = [ruleset for dump in dumps for ruleset in dump.rulesets]
    iptables_places = places(rulesets, table) if rulesets and (table is None or not among) else ()
    if not among and not iptables_places:
        raise UsageError(f"there is no table {table} here")
    if not services and not chains:
        parts = [NftPart(place, place.graph.all_chains, list(place.graph.jumps)) for place in among]
        others = _parts(dumps, iptables_places, (), ())
    else:
        found, _, left = nft_chains(among, chains)
        if left and not iptables_places:
            raise no_such(left)
        others = _parts(dumps, iptables_places, (), left) if left else []
        centres = {facts.name for facts in found}
        if services:
            centres |= chains_of_services(dumps, services)
        parts = []
        for place in among:
            here = [name for name in place.graph.all_chains if name in centres]
            if here:
                parts.append(NftPart(place, *place.graph.around(here)))
    notes = _notes(dumps)
    mine, theirs = nft_drawing(parts, notes), drawing(others, notes)
    return Drawing([*mine.chains, *theirs.chains], [*mine.jumps, *theirs.jumps])


def _notes(dumps: Sequence[Dump]) -> Notes:
    """Who owns each chain, and what the audit finds wrong."""
    from ipt_explain.analyzers import explain
    from ipt_explain.audit.runner import audit_dump
    from ipt_explain.render.graph.notes import notes_of

    explained = [explain(dump) for dump in dumps]
    reports = [audit_dump(dump, explanation=explanation) for dump, explanation in zip(dumps, explained)]
    return notes_of(
        (service for explanation in explained for service in explanation.services),
        (finding for report in reports for finding in report.findings),
    )


def _parts(
    dumps: Sequence[Dump], among: Sequence[TablePlace], services: Sequence[str], chains: Sequence[str]
) -> list[tuple[TablePlace, Neighbourhood]]:
    """The neighbourhoods of the named chains and of the services' chains, in the tables that have any; without names,
    whole tables."""
    from ipt_explain.analyzers.profiles.chains import find_chains
    from ipt_explain.analyzers.profiles.named_services import chains_of_services
    from ipt_explain.graph.neighbourhood import neighbourhood, whole

    if not services and not chains:
        return [(place, whole(place.graph)) for place in among]
    names = {facts.name for facts in find_chains(among, chains)}
    if services:
        names |= chains_of_services(dumps, services)
    parts = []
    for place in among:
        centres = [name for name in names if name in place.table.chains or place.graph.is_called(name)]
        if centres:
            parts.append((place, neighbourhood(place.graph, centres)))
    return parts


def _sizes(picture: Drawing, output: str) -> Iterator[str]:
    """Warnings about pictures that are too large to draw."""
    if output not in ("dot", "mermaid"):
        return
    from ipt_explain.render.graph.mermaid import MOST_EDGES

    arrows = len(picture.arrows)
    narrower = "--service, --chain or --table narrows it"
    if output == "dot" and arrows > MOST_ARROWS:
        yield f"{len(picture.chains):,} chains and {arrows:,} arrows: Graphviz may take minutes; {narrower}"
    if output == "mermaid" and arrows > MOST_EDGES:
        yield f"{arrows:,} arrows: Mermaid draws {MOST_EDGES} unless its maxEdges is raised; {narrower}"


def _rendered(picture: Drawing, output: str) -> Iterable[str]:
    if output == "mermaid":
        from ipt_explain.render.graph.mermaid import mermaid

        return mermaid(picture)
    if output == "graphml":
        from ipt_explain.render.graph.data import graphml

        return graphml(picture)
    if output == "json":
        from ipt_explain.render.graph.data import graph_json

        return graph_json(picture)
    from ipt_explain.render.graph.dot import dot

    return dot(picture)
