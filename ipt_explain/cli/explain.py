"""`ipt-explain explain`: what this node does with every Service."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import click

from ipt_explain import progress
from ipt_explain.cli.shared.options import (
    NO_RULES,
    SAVED_TO,
    display_options,
    dump_options,
    names_option,
    output_option,
    read_dumps,
    selection_options,
)
from ipt_explain.cli.shared.stdio import is_terminal, shows_links, warn, write
from ipt_explain.collector import keep_until_exit
from ipt_explain.records import replace

# With more Services than this, a terminal shows only the problems.
MOST_TREES = 30

if TYPE_CHECKING:
    from ipt_explain.analyzers.selection import Selection
    from ipt_explain.model import Dump
    from ipt_explain.services.explanation import Choice, Explanation, Reading


@click.command(
    epilog='In the tree, "even" means to within 0.0000002 %, the resolution of the kernel\'s 31-bit probabilities; '
    "any wider bound is printed."
)
@dump_options
@output_option("tree", "table", "wide", "json", "ndjson")
@click.option("--problems", is_flag=True, help="Show only Services with problems.")
@click.option("--all", "everything", is_flag=True, help="Show every Service on a terminal, however many.")
@click.option(
    "--sort", "order", type=click.Choice(["name", "problem", "endpoints", "packets"]),
    help="Sort Services. [default: in the dump's order]",
)  # fmt: skip
@names_option
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Show at most N Services.")
@selection_options
@display_options
def explain(
    dumps: tuple[str, ...],
    live: bool,
    lenient: bool,
    output: str,
    problems: bool,
    everything: bool,
    order: str | None,
    objects: str | None,
    limit: int | None,
    service: tuple[str, ...],
    namespace: tuple[str, ...],
    address: tuple[str, ...],
    color: bool,
    width: int,
) -> None:
    """What does this node do with every Service? (the default command)

    On a terminal, a node with more than 30 Services is summed up; --all shows every Service.

    \b
    iptables-save | ipt-explain
    ipt-explain --problems node.txt
    ipt-explain -s shop/cart -o json node.txt

    DUMP is a file, or - for standard input: the output of iptables-save, ip6tables-save, iptables -S or nft list
    ruleset, whole or in part. It may also hold that of ipset save and ip -o addr, and in IPVS mode of ipvsadm-save -n.
    """
    selection = _selection(service, namespace, address)
    read = tuple([dump.without_text() for dump in read_dumps(dumps, live, lenient, empty_too=selection is None)])
    if output == "tree" and objects is None and progress.is_shown() and is_terminal(sys.stdout):
        _show_header(read, color, width)
    keep_until_exit()
    explanation, total = _explained(read, selection, objects)
    if not explanation.rulesets and not any(dump.node for dump in read):
        warning = NO_RULES.format(", ".join(dump.source for dump in read))
        explanation = replace(explanation, warnings=(*explanation.warnings, warning))
    elif not explanation.services and output != "tree":
        from ipt_explain.services.absence import NO_SERVICE, absence

        warning = f"{NO_SERVICE}: {absence(explanation)}"
        explanation = replace(explanation, warnings=(*explanation.warnings, warning))
    warn(explanation.warnings)
    from ipt_explain.services.explanation import Choice, ServiceOrder, ShownServices

    chosen = everything or problems or selection is not None or order is not None or limit is not None
    bounded = not chosen and is_terminal(sys.stdout) and len(explanation.services) > MOST_TREES
    least = ShownServices.NONE if bounded and output == "tree" else ShownServices.ALL
    shown = ShownServices.PROBLEMS if problems else least
    choice = Choice(shown, None if order is None else ServiceOrder(order), limit)
    asked = {"-s": service, "-n": namespace, "--address": address}
    selecting = tuple(word for option, words in asked.items() for each in words for word in (option, each))
    reading = replace(_reading(read, live, lenient, objects), selection=selecting)
    write(_rendered(explanation, total, output, color, width, choice, reading))


def _reading(dumps: Sequence[Dump], live: bool, lenient: bool, objects: str | None) -> Reading:
    """How another command reads the same."""
    from ipt_explain.services.explanation import Reading

    context = click.get_current_context()
    live = live and context.meta.get(SAVED_TO) is None
    program = context.find_root().obj
    files = () if live or program else tuple(dict.fromkeys(dump.source for dump in dumps))
    options = [*(["--live"] if live else []), *(["--lenient"] if lenient else [])]
    options += () if objects is None else ("--objects", objects)
    return Reading(
        files, tuple(options), tuple(program or ("ipt-explain",)),
        shows_addresses=any(dump.node.addresses is not None for dump in dumps),
        shows_sets=any(dump.node.sets for dump in dumps),
    )  # fmt: skip


def _show_header(dumps: Sequence[Dump], color: bool, width: int) -> None:
    """Show the output's first lines, which say what was read, while the Services are worked out."""
    from ipt_explain.analyzers.iptables.plans import Plans
    from ipt_explain.analyzers.rulesets import ruleset_facts
    from ipt_explain.analyzers.versions import recognise_version
    from ipt_explain.cli.shared.waiting import show_first_lines
    from ipt_explain.model.node.joining import as_nodes
    from ipt_explain.render.explain.tree import first_lines
    from ipt_explain.render.text.ci_commands import disarmed

    ruleset = next((ruleset for dump in as_nodes(dumps)[:1] for ruleset in dump.rulesets), None)
    if ruleset is not None:
        facts = ruleset_facts(ruleset, recognise_version(ruleset, Plans()))
        show_first_lines(disarmed("".join(first_lines(facts, width, color))).splitlines(), width)
        progress.begin("finding Services", 0)


def _selection(service: Sequence[str], namespace: Sequence[str], address: Sequence[str]) -> Selection | None:
    """The selected services; None if all are."""
    if not (service or namespace or address):
        return None
    from ipt_explain.analyzers.selection import Selection

    return Selection.of(service, namespace, address)


def _explained(
    read: Sequence[Dump], selection: Selection | None, objects: str | None
) -> tuple[Explanation, int | None]:
    """Explain the selected services, named by a file of objects; and the number of all, None if all are selected."""
    named = None
    if objects is not None:
        from ipt_explain.cli.shared.objects import naming

        named = naming(objects, read)
    if selection is None:
        from ipt_explain.analyzers import explain_all

        return explain_all(read) if named is None else named(explain_all(read)), None
    from ipt_explain.analyzers.selection import explain_selected

    return explain_selected(read, selection, named)


def _rendered(
    explanation: Explanation,
    total: int | None,
    output: str,
    color: bool,
    width: int,
    choice: Choice,
    reading: Reading,
) -> Iterable[str]:
    if output == "tree":
        from ipt_explain.render.explain.tree import tree

        return tree(explanation, width, color, total, choice, color and shows_links(sys.stdout), reading)
    chosen = replace(explanation, services=tuple(choice.of(explanation.services)))
    if output == "json":
        return chain(chosen.json_chunks(), "\n")
    if output == "ndjson":
        from ipt_explain.services.document import service_line

        return map(service_line, chosen.services)
    if output == "wide":
        from ipt_explain.render.explain.table import table

        return table(chosen)
    from ipt_explain.render.explain.rows import rows

    return rows(chosen, width, color)
