"""Comparing two dumps: what changed for traffic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ipt_explain.analyzers import explain
from ipt_explain.columns import columns, in_columns
from ipt_explain.compare.differences import Difference, in_one
from ipt_explain.compare.rulesets.differing import skeleton_differences
from ipt_explain.compare.rulesets.skeleton import Skeleton, SkeletonKey, skeletons
from ipt_explain.compare.services.differing import added, removed, service_differences
from ipt_explain.compare.services.losses import losses_folded
from ipt_explain.compare.services.pairing import paired
from ipt_explain.compare.services.unseen import Completeness
from ipt_explain.compare.services.views import ServiceKey, ServiceView, service_views
from ipt_explain.inputs.limits import DIFFERENCES
from ipt_explain.model import Backend, Dump, Family
from ipt_explain.model.dump import FailedTool
from ipt_explain.model.node.joining import as_nodes
from ipt_explain.records import Record
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.ports import ProxyMode, RulesetFacts
from ipt_explain.words import family_name

if TYPE_CHECKING:
    from ipt_explain.model import nft


_OF_KUBE_PROXY = frozenset({"nat", "filter"})


class NodeView(Record):
    """Everything to compare in one node's dumps. `failed` are tools whose rules they lack."""

    name: str
    services: dict[ServiceKey, ServiceView]
    skeletons: dict[SkeletonKey, Skeleton]
    service_count: int
    endpoint_count: int
    facts: tuple[RulesetFacts, ...] = ()
    failed: tuple[FailedTool, ...] = ()

    @property
    def families(self) -> set[Family]:
        """The families for which it has rules or virtual servers."""
        return {family for family, _ in self.skeletons} | {each.family for each in self.facts if each.mode is not None}

    def complete(self, family: Family) -> bool:
        """Whether what it lacks does not exist."""
        return all(skeleton.complete for key, skeleton in self.skeletons.items() if key[0] is family)

    def tables(self, family: Family) -> frozenset[str]:
        """The tables of iptables that it has."""
        return frozenset(table for facts in self.facts if facts.family is family for table in facts.tables)

    def is_complete_for(self, family: Family, other: NodeView) -> bool:
        """Whether what it lacks, compared with `other`, does not exist: it is complete, and has all of kube-proxy's
        tables that `other` has (`iptables-save -t nat` prints only one)."""
        return self.complete(family) and not _OF_KUBE_PROXY & other.tables(family) - self.tables(family)

    def writer(self, family: Family) -> tuple[ProxyMode | None, str | None]:
        """The mode of kube-proxy that serves a family; for nftables, whose chains differ between releases, also the
        possible releases."""
        modes = {facts.mode: facts for facts in self.facts if facts.family is family and facts.mode is not None}
        last = max(modes, key=list(ProxyMode).index, default=None)
        return last, modes[last].version if last is ProxyMode.NFTABLES else None


class Comparison(Record):
    """The differences of two dumps; `notes` say what could not be compared, `failed` why some rules could not be."""

    before: NodeView
    after: NodeView
    differences: Sequence[Difference]
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[FailedTool, ...]:
        """The tools whose rules one of the dumps lacks."""
        return (*self.before.failed, *self.after.failed)

    @property
    def equal(self) -> bool:
        """Whether traffic is treated the same in both, as far as they show."""
        return not self.differences


def node_view(name: str, dumps: Sequence[Dump]) -> NodeView:
    """The view of a node from one or more dumps."""
    dumps = as_nodes(dumps)
    explanation = Explanation.joined([explain(dump) for dump in dumps])
    found: dict[SkeletonKey, Skeleton] = {}
    for dump in dumps:
        found.update(skeletons(dump))
        if dump.nft is not None:
            found.update(_of_nftables(dump.nft, explanation.rulesets))
    views = service_views(explanation, dumps)
    services = explanation.services
    endpoints = sum(len(service.endpoints) for service in services)
    failed = tuple(dict.fromkeys(each for dump in dumps for each in dump.failed))
    return NodeView(name, views, found, len(services), endpoints, tuple(explanation.rulesets), failed)


def _of_nftables(ruleset: nft.Ruleset, rulesets: Iterable[RulesetFacts]) -> Iterator[tuple[SkeletonKey, Skeleton]]:
    from ipt_explain.compare.rulesets.nft_skeleton import nft_skeleton

    for facts in rulesets:
        if facts.backend is Backend.NFTABLES:
            yield (facts.family, Backend.NFTABLES), nft_skeleton(ruleset, facts.family)


def compare_nodes(before: NodeView, after: NodeView) -> Comparison:
    """How `after` differs from `before`. Families that only one of them has are left out, with a note."""
    parts: list[Sequence[Difference]] = []
    notes: list[str] = []
    for family in Family:
        if family in before.families and family in after.families:
            parts += _of_family(family, before, after, notes)
        elif family in before.families or family in after.families:
            lacking = after if family in before.families else before
            if any(key[0] is family for key in (*before.services, *after.services)):
                rules = f"{family_name(family.value)} rules"
                notes.append(f"{lacking.name} has no {rules}: they are not compared")
    differences = losses_folded(in_one(parts))
    most = DIFFERENCES.value()
    if len(differences) > most:
        notes.append(f"{len(differences) - most:,} more differences are not listed; {DIFFERENCES.variable} lists more")
        differences = in_columns(differences, Difference).part(0, most)
    return Comparison(before, after, differences, tuple(notes))


def _of_family(family: Family, before: NodeView, after: NodeView, notes: list[str]) -> Iterator[Sequence[Difference]]:
    """The differences of service ports, one after the other, and those of the rest."""
    of_services: list[Sequence[Difference]] = []
    shown = Completeness(before.is_complete_for(family, after), after.is_complete_for(family, before))
    for side, complete in ((before, shown.before), (after, shown.after)):
        if not complete:
            notes.append(f"{side.name} is not a complete dump: what only the other has is not reported")
    for old, new in paired(family, before.services, after.services):
        if old is not None and new is not None:
            of_services.append(service_differences(old, new, shown))
        elif old is not None and shown.after and (old.named or shown.before):
            of_services.append([removed(old)])
        elif new is not None and shown.before and (new.named or shown.after):
            of_services.append([added(new)])
    yield from sorted(filter(None, of_services), key=_service_of)
    tables = None if shown.all else before.tables(family) & after.tables(family)
    alike = before.writer(family) == after.writer(family)
    for key in sorted({*before.skeletons, *after.skeletons}, key=str):
        earlier, later = before.skeletons.get(key), after.skeletons.get(key)
        if key[0] is family and earlier is not None and later is not None:
            yield skeleton_differences(family, earlier, later, alike, tables)


def _service_of(differences: Sequence[Difference]) -> tuple[str, str]:
    """The service port of these differences, all of one; reports are sorted by it."""
    (service, *_), (protocol, *_) = columns(differences, ("service", "protocol"))
    return service or "", protocol or ""
