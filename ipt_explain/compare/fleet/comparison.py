"""Differences between many nodes, with the nodes on both sides; the majority is the `before`.

A node that cannot be compared in a family is on no side there, and is named with the reason. It never counts as equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ipt_explain.compare.differences import Difference, DifferenceKind
from ipt_explain.compare.fleet.chain_disputes import chain_disputes
from ipt_explain.compare.fleet.folding import Fleet, NodeGroup, nodes_of
from ipt_explain.compare.fleet.lateness import Lateness
from ipt_explain.compare.fleet.nodes import NotCompared
from ipt_explain.compare.fleet.records.keys import RecordKey, RecordKind
from ipt_explain.compare.fleet.releases import as_releases_do
from ipt_explain.compare.fleet.service_disputes import ServiceDisputes
from ipt_explain.compare.fleet.sides import Side, sides_of
from ipt_explain.compare.fleet.wording import against, count_of, has
from ipt_explain.compare.services.losses import losses_folded
from ipt_explain.model import Family
from ipt_explain.records import Record, replace
from ipt_explain.services.ports import ProxyMode
from ipt_explain.words import counted, family_name

_NEEDED = ("filter", "nat")
_OF_KUBE_PROXY = (RecordKind.PORT, RecordKind.BUILT_IN, RecordKind.SYSTEM)


class FleetComparison(Record):
    """The differences between many nodes.

    `nodes` is the number compared; they agree about `services` of `of` service ports. `notes` say what differs by
    design. `releases` are those of kube-proxy, as far as nodes show them, by node set.
    """

    nodes: int
    services: int
    of: int
    differences: tuple[Difference, ...]
    not_compared: tuple[NotCompared, ...]
    notes: tuple[str, ...]
    release_of: dict[str, str]

    @property
    def equal(self) -> bool:
        """Whether all nodes were compared and agree."""
        return not self.differences and not self.not_compared


def compare_fleet(fleet: Fleet) -> FleetComparison:
    """All differences between the nodes of a fleet."""
    return _Comparer(fleet).comparison()


class _Comparer:
    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._groups = fleet.groups
        self._index = {id(group): number for number, group in enumerate(self._groups)}
        self._names: dict[tuple[int, ...], tuple[str, ...]] = {}
        self._not_compared = list(fleet.not_compared)
        # By family, the keys of all service ports.
        self._ports: dict[str, list[str]] = {}
        for text in fleet.all_keys():
            key = RecordKey.of(text)
            if key.kind is RecordKind.PORT:
                self._ports.setdefault(key.family.value, []).append(text)
        self._services = ServiceDisputes(fleet.fabrics)
        self._lateness = Lateness(fleet.taken)
        self._by_release: Counter[tuple[str, str]] = Counter()
        # By family, the groups that are compared; and those of them without any rules of kube-proxy.
        self._voters: dict[str, list[NodeGroup]] = {}
        self._empty: dict[str, list[NodeGroup]] = {}

    def comparison(self) -> FleetComparison:
        families = sorted({family for group in self._groups for family in group.families})
        found: list[Difference] = []
        for family in families:
            self._voters[family] = self._of_family(family)
            empty = self._without_services(family) if family in self._ports else []
            self._empty[family] = self._but_other_modes(family, empty)
            found += self._nothing_at_all(family)
        ports = {key for family in families for key in self._shown_ports(family)}
        # Nodes that have none at all agree on none.
        disagreed = {key for family in families if self._empty[family] for key in self._ports[family]}
        for key in self._fleet.disputed():
            differences = list(self._disputes(key))
            if differences:
                disagreed.add(key)
            found += differences
        notes = [*self._services.notes(), *self._release_notes()]
        partly = {each.node for each in self._not_compared}
        nodes = sum(len(group.nodes) for group in self._groups)
        return FleetComparison(
            nodes - sum(node in partly for group in self._groups for node in group.nodes),
            len(ports - disagreed),
            len(ports),
            tuple(map(_with_nodes_named, losses_folded(found))),
            tuple(self._not_compared),
            tuple(notes),
            self._releases(),
        )

    def _shown_ports(self, family: str) -> set[str]:
        """The keys of the service ports of nodes that are compared in a family."""
        voters = self._voters[family]
        found = {key for group in voters for key, record in group.own.items() if record is not None}
        bases: dict[int, list[NodeGroup]] = {}
        for group in voters:
            bases.setdefault(id(group.base), []).append(group)
        for groups in bases.values():
            found.update(key for key in groups[0].base if any(key not in group.own for group in groups))
        return found.intersection(self._ports.get(family, ()))

    def _of_family(self, family: str) -> list[NodeGroup]:
        """The groups that can be compared in a family. Records why others cannot."""
        present = [group for group in self._groups if family in group.families]
        whole = [group for group in present if group.families[family].complete]
        absent = [group for group in self._groups if family not in group.families]
        if absent and family in self._ports:
            count = sum(len(group.nodes) for group in present)
            others = f"{counted(count, 'other node')} {has(count)}"
            why = f"there are no {family_name(family)} rules in its files, which {others}"
            self._leave_out(absent, family, why)
        if not whole:
            # Parts of dumps are compared only in what they show.
            return present
        partial = [group for group in present if not group.families[family].complete]
        self._leave_out(partial, family, "its files hold only a part of the rules; other nodes' are complete")
        tables = Counter(table for group in whole for table in group.families[family].tables for _ in group.nodes)
        nodes = sum(len(group.nodes) for group in whole)
        voters = []
        for group in whole:
            needed = () if group.families[family].mode == ProxyMode.NFTABLES.value else _NEEDED
            missing = [
                table for table in needed
                if table not in group.families[family].tables and tables[table] * 2 > nodes
            ]  # fmt: skip
            if missing:
                why = f"its {family_name(family)} rules lack the table {' and '.join(missing)}, which other nodes have"
                self._leave_out([group], family, why)
            else:
                voters.append(group)
        return self._with_names(family, voters)

    def _with_names(self, family: str, voters: list[NodeGroup]) -> list[NodeGroup]:
        """Leave out IPVS nodes, which show no names, if most nodes have names."""
        ipvs = [group for group in voters if _is_ipvs(group, family)]
        others = [group for group in voters if not _is_ipvs(group, family)]
        if not ipvs or not others:
            return voters
        fewer, most = sorted((ipvs, others), key=lambda groups: sum(len(group.nodes) for group in groups))
        shows = "in IPVS mode, which shows no Service names"
        why = f"kube-proxy runs there {shows}" if fewer is ipvs else f"most nodes run kube-proxy {shows}"
        self._leave_out(fewer, family, why)
        return most

    def _leave_out(self, groups: Iterable[NodeGroup], family: str, why: str) -> None:
        known = {each.node for each in self._not_compared}
        self._not_compared += [NotCompared(node, why, family) for node in nodes_of(groups) if node not in known]

    def _without_services(self, family: str) -> list[NodeGroup]:
        ports = self._ports[family]
        by_base: dict[int, bool] = {}
        found = []
        for group in self._voters[family]:
            base = by_base.get(id(group.base))
            if base is None:
                base = by_base[id(group.base)] = any(key in group.base for key in ports)
            if base and len(group.own) * 2 < len(ports):
                continue
            if all(group.record(key) is None for key in ports):
                found.append(group)
        return found if len(found) < len(self._voters[family]) else []

    def _but_other_modes(self, family: str, empty: Sequence[NodeGroup]) -> list[NodeGroup]:
        """The groups that have no Services at all. In IPVS mode Services exist, but not in iptables."""
        ipvs = [group for group in empty if _is_ipvs(group, family)]
        if ipvs:
            why = "kube-proxy runs in IPVS mode there: its Services are in IPVS, not in iptables"
            self._leave_out(ipvs, family, why)
            self._voters[family] = [group for group in self._voters[family] if group not in ipvs]
        return [group for group in empty if group not in ipvs]

    def _nothing_at_all(self, family: str) -> Iterator[Difference]:
        """Nodes without any rule of kube-proxy: one difference, not one for each Service."""
        empty = self._empty[family]
        if not empty:
            return
        names = self._nodes(empty)
        others = self._nodes([group for group in self._voters[family] if group not in empty])
        count = len(self._ports[family])
        message = (
            f"{count_of(names)} {has(len(names))} no {family_name(family)} rules of kube-proxy for Services at all; "
            f"{count_of(others)} {has(len(others))} those of {counted(count, 'service port')}"
        )
        yield Difference(
            DifferenceKind.SERVICE_REMOVED, Family(family), message, None, None, "all service ports", count, 0,
            (others, names),
        )  # fmt: skip

    def _disputes(self, text: str) -> Iterator[Difference]:
        key = RecordKey.of(text)
        family = key.family.value
        voters = self._voters.get(family, [])
        if key.kind in _OF_KUBE_PROXY:
            empty = {id(group) for group in self._empty.get(family, [])}
            voters = [group for group in voters if id(group) not in empty]
        if key.kind is not RecordKind.PORT:
            yield from self._chain_disputes(text, voters)
            return
        # A partial ruleset may have more than it shows.
        voters = [group for group in voters if group.families[family].complete or group.record(text) is not None]
        for difference, most, other in self._services.disputes(key, sides_of(voters, lambda group: group.record(text))):
            nodes = self._nodes(most.groups), self._nodes(other.groups)
            yield replace(difference, nodes=nodes, note=self._lateness.note(difference.kind, *nodes))

    def _chain_disputes(self, text: str, voters: Sequence[NodeGroup]) -> Iterator[Difference]:
        key = RecordKey.of(text)
        family = key.family.value
        # kube-proxy's modes have different chains; their effect is compared per service port.
        modes = Counter(_writer(group, family) for group in voters for _ in group.nodes)
        for mode in sorted(modes, key=lambda each: (-modes[each], str(each))):
            alike = [group for group in voters if _writer(group, family) == mode]
            for difference, most, other in chain_disputes(key, sides_of(alike, lambda group: group.record(text))):
                releases = self._releases_of(most, family), self._releases_of(other, family)
                if releases[0].isdisjoint(releases[1]) and as_releases_do(difference):
                    self._by_release[_text(releases[0]), _text(releases[1])] += 1
                    continue
                yield replace(difference, nodes=(self._nodes(most.groups), self._nodes(other.groups)))

    @staticmethod
    def _releases_of(side: Side, family: str) -> frozenset[str | None]:
        return frozenset(group.families[family].release for group in side.groups)

    def _release_notes(self) -> Iterator[str]:
        for (most, other), count in sorted(self._by_release.items()):
            yield (
                f"kube-proxy {most} and {other}: {counted(count, 'rule')} outside Services that these releases write "
                "differently are not reported"
            )

    def _releases(self) -> dict[str, str]:
        """The release of each node that shows one; empty if all have the same."""
        found = {
            node: release
            for group in self._groups
            for release in [next((each.release for each in group.families.values() if each.release), None)]
            if release is not None
            for node in group.nodes
        }
        return found if len(set(found.values())) > 1 else {}

    def _nodes(self, groups: Iterable[NodeGroup]) -> tuple[str, ...]:
        """The names of groups' nodes, cached so that all differences share one tuple per set of groups."""
        members = list(groups)
        key = tuple(sorted(self._index[id(group)] for group in members))
        found = self._names.get(key)
        if found is None:
            found = self._names[key] = nodes_of(members)
        return found


def _is_ipvs(group: NodeGroup, family: str) -> bool:
    return group.families[family].mode == ProxyMode.IPVS.value


def _writer(group: NodeGroup, family: str) -> tuple[str | None, str | None]:
    """The mode of kube-proxy, and the release if chains differ between releases."""
    facts = group.families[family]
    return facts.mode, facts.release if facts.mode == ProxyMode.NFTABLES.value else None


def _text(releases: frozenset[str | None]) -> str:
    return ", ".join(sorted(filter(None, releases))) or "of an unknown release"


def _with_nodes_named(difference: Difference) -> Difference:
    """A difference with the nodes in its words, if it has a cause and is about a Service: others have them already."""
    if difference.cause is None or difference.service is None or difference.nodes is None:
        return difference
    return replace(difference, message=f"{against(*difference.nodes)}: {difference.message}")
