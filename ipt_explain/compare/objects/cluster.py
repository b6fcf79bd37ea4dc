"""Dumps of one or more nodes against the API objects, and where those nodes differ."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.compare.dumps import node_view
from ipt_explain.compare.fleet.comparison import compare_fleet
from ipt_explain.compare.fleet.folding import Fleet
from ipt_explain.compare.fleet.records.digest import digest_of
from ipt_explain.compare.objects.judge import families_asked, judge
from ipt_explain.compare.objects.many import Reported, disagreements
from ipt_explain.compare.objects.mismatches import Mismatch
from ipt_explain.compare.objects.model import ApiObjects
from ipt_explain.errors import UsageError
from ipt_explain.model import Dump, Family
from ipt_explain.model.node.joining import as_nodes
from ipt_explain.records import Record, replace
from ipt_explain.words import family_name


class ClusterJudgement(Record):
    """The mismatches of all dumps; `notes` say what could not be judged."""

    mismatches: tuple[Mismatch, ...]
    notes: tuple[str, ...]


def judge_all(objects: ApiObjects, dumps: Sequence[Dump], node: str | None = None) -> ClusterJudgement:
    """Every mismatch of the dumps, and where their nodes differ beyond that.

    `node` is the dumps' node, None to recognise it for each. Raises UsageError if objects and dumps have nothing in
    common to compare.
    """
    dumps = [dump for dump in as_nodes(dumps) if dump.rulesets or dump.nft is not None or dump.node.virtual_servers]
    _check_families(objects, dumps)
    judgements = [judge(objects, dump, node) for dump in dumps]
    mismatches = [mismatch for judgement in judgements for mismatch in judgement.mismatches]
    of_node: dict[str, list[Dump]] = {}
    for judgement, dump in zip(judgements, dumps):
        if judgement.node is not None:
            of_node.setdefault(judgement.node, []).append(dump)
    if len(of_node) > 1:
        reported: dict[tuple[str | None, str | None], set[str]] = {}
        for judgement in judgements:
            for each in judgement.mismatches:
                reported.setdefault((each.service, each.protocol), set()).add(judgement.node or "")
        mismatches += _disagreements(of_node, reported)
    notes = [note for judgement in judgements for note in judgement.notes]
    return ClusterJudgement(tuple(mismatches), tuple(dict.fromkeys(notes)))


def _check_families(objects: ApiObjects, dumps: Sequence[Dump]) -> None:
    if any(dump.nft is not None or dump.node.virtual_servers is not None for dump in dumps):
        return
    have = {ruleset.family for dump in dumps for ruleset in dump.rulesets}
    asked_families = families_asked(objects)
    if have and asked_families and not have & asked_families:
        shown, wanted = (
            " and ".join(family_name(each.value) for each in Family if each in some) for some in (have, asked_families)
        )
        sources = ", ".join(dump.source for dump in dumps)
        raise UsageError(f"{sources}: there are only {shown} rules, but the Services have only {wanted} addresses")


def _disagreements(of_node: dict[str, list[Dump]], reported: Reported) -> list[Mismatch]:
    """Differences between nodes that the objects do not decide, reported at the first node of the minority."""
    fleet = Fleet()
    for name, dumps in of_node.items():
        fleet.add(digest_of(node_view(name, dumps)))
    return [
        replace(each, source=of_node[each.nodes[0]][0].source, nodes=())
        for each in disagreements(compare_fleet(fleet), reported)
    ]
