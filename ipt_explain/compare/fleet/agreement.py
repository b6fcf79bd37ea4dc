"""Many nodes: what they agree on, and who disagrees about what.

Nodes that do the same form a group, kept once; a group keeps only how it differs from the first. So memory grows with
the views that differ, not with nodes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ipt_explain.compare.differences import Difference, DifferenceKind, Value
from ipt_explain.compare.fleet.digest import Digest, service_of
from ipt_explain.compare.services.differing import added, removed, service_differences
from ipt_explain.compare.services.views import ServiceView
from ipt_explain.errors import UsageError
from ipt_explain.model import Family
from ipt_explain.words.counts import counted, some
from ipt_explain.words.lists import both


@dataclass(slots=True)
class _Group:
    """Nodes that do the same. `services` and `chains` are their records where these differ from the first node's; None
    where they lack one."""

    families: Mapping[str, bool]
    services: dict[str, str | None]
    chains: dict[str, str | None]
    nodes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How much all nodes agree on: `services` service ports of `of`."""

    nodes: int
    services: int
    of: int


class Fleet:
    """The nodes met so far."""

    def __init__(self) -> None:
        self._services: Mapping[str, str] = {}
        self._chains: Mapping[str, str] = {}
        self._groups: dict[int, list[_Group]] = {}
        self._names: set[str] = set()
        self._texts: dict[str, str] = {}

    def add(self, digest: Digest) -> None:
        """Takes a node in. Raises UsageError for a name that another node has."""
        if digest.node in self._names:
            raise UsageError(f"two nodes are named {digest.node}: tell them apart with NAME=PATH")
        self._names.add(digest.node)
        if len(self._names) == 1:
            self._services, self._chains = dict(digest.services), dict(digest.chains)
        services = self._deviations(self._services, digest.services)
        chains = self._deviations(self._chains, digest.chains)
        family_key = tuple(sorted(digest.families.items()))
        identity = hash((frozenset(services.items()), frozenset(chains.items()), family_key))
        for group in self._groups.setdefault(identity, []):
            if group.services == services and group.chains == chains and group.families == digest.families:
                group.nodes.append(digest.node)
                return
        self._groups[identity].append(_Group(dict(digest.families), services, chains, [digest.node]))

    def _deviations(self, first: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str | None]:
        if first == own:
            return {}
        found: dict[str, str | None] = {
            key: self._texts.setdefault(record, record) for key, record in own.items() if first.get(key) != record
        }
        found.update((key, None) for key in first if key not in own)
        return found

    def differences(self) -> tuple[list[Difference], Agreement]:
        """Every disagreement, each with the nodes on either side; most nodes are the `before`."""
        groups = [group for same in self._groups.values() for group in same]
        disputed = sorted({key for group in groups for key in group.services})
        found: list[Difference] = []
        agreed = len({*self._services, *disputed}) - len(disputed)
        for key in disputed:
            sides = self._sides(groups, key, self._services, services=True)
            differences = list(_service_disputes(key, sides))
            agreed += not differences
            found += differences
        for key in sorted({key for group in groups for key in group.chains}):
            found += _chain_disputes(key, self._sides(groups, key, self._chains, services=False))
        return found, Agreement(len(self._names), agreed, len({*self._services, *disputed}))

    def _sides(
        self, groups: Iterable[_Group], key: str, first: Mapping[str, str], services: bool
    ) -> list[tuple[str | None, list[str]]]:
        """The records of one key with their nodes, most nodes first. Nodes that cannot tell are left out."""
        family = key.split(" ", 1)[0].partition("/")[0]
        nodes: dict[str | None, list[str]] = {}
        for group in groups:
            own = group.services if services else group.chains
            record = own[key] if key in own else first.get(key)
            # A part of a dump cannot tell what it lacks, nor can a node without rules of this family.
            if record is not None or group.families.get(family, False):
                nodes.setdefault(record, []).extend(group.nodes)
        for names in nodes.values():
            names.sort(key=natural)
        return sorted(nodes.items(), key=lambda item: (-len(item[1]), item[0] is None, natural(item[1][0])))


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts node-2 ahead of node-10."""
    parts: list[tuple[int, int, str]] = []
    digits = ""
    for character in f"{name}\0":
        if character.isdecimal() and character.isascii():
            digits += character
            continue
        if digits:
            parts.append((0, int(digits[-18:]), digits))
            digits = ""
        parts.append((1, 0, character))
    return parts


def _service_disputes(key: str, sides: list[tuple[str | None, list[str]]]) -> Iterator[Difference]:
    if len(sides) < 2:
        return
    views = [(None if record is None else service_of(key, record), names) for record, names in sides]
    if _may_be_internal_local([view for view, _ in views]):
        return
    most, most_names = views[0]
    seen = 0 if most is None else len(most.endpoints())
    for view, names in views[1:]:
        differences: list[Difference] = []
        if most is not None and view is not None:
            differences = service_differences(most, view)
        elif most is not None:
            differences = [removed(most)]
        elif view is not None:
            differences = [added(view)]
        for each in differences:
            yield Difference(
                each.kind, each.family, _sentence(each, seen, most_names, names), each.service, each.protocol,
                each.subject,
                each.before, each.after, (tuple(most_names), tuple(names)),
            )  # fmt: skip


def _may_be_internal_local(views: list[ServiceView | None]) -> bool:
    """kube-proxy 1.21 to 1.23 left no trace of internal policy Local: nodes then balance over sets without a common
    endpoint."""
    known = [view for view in views if view is not None]
    if len(known) != len(views) or any(view.internal_policy is not None for view in known if view.endpoints()):
        return False
    seen: set[str] = set()
    for view in known:
        endpoints = view.endpoints()
        if seen & endpoints:
            return False
        seen |= endpoints
    serving = [view for view in known if view.endpoints()]
    return len(serving) > 1 and all(view.frontends.keys() == known[0].frontends.keys() for view in known)


def _chain_disputes(key: str, sides: list[tuple[str | None, list[str]]]) -> Iterator[Difference]:
    if len(sides) < 2:
        return
    place, _, name = key.partition(" ")
    family = Family(place.partition("/")[0])
    kind = DifferenceKind.HOOK
    if name.endswith(" policy"):
        kind = DifferenceKind.CHAIN_POLICY
    elif " KUBE-" in name:
        masquerades = name in ("nat KUBE-MARK-MASQ", "nat KUBE-POSTROUTING")
        kind = DifferenceKind.MASQUERADE if masquerades else DifferenceKind.VERDICT
    most, most_names = sides[0]
    for record, names in sides[1:]:
        before, after = _rules(most), _rules(record)
        message = f"{name}: {count_of(most_names)} and {count_of(names)} differ"
        if kind is DifferenceKind.CHAIN_POLICY:
            message = f"{name}: {_first(before)} on {count_of(most_names)}, {_first(after)} on {count_of(names)}"
        elif not after:
            message = (
                f"{name}: {count_of(names)} {'lacks' if len(names) == 1 else 'lack'} what {count_of(most_names)} have"
            )
        yield Difference(
            kind, family, message, None, None, name, _values(before), _values(after), (tuple(most_names), tuple(names))
        )


def _rules(record: str | None) -> list[str]:
    return [] if record is None else list(json.loads(record))


def _values(rules: list[str]) -> Value:
    return list(rules)


def _first(rules: list[str]) -> str:
    return rules[0] if rules else "ACCEPT"


def count_of(names: list[str] | tuple[str, ...]) -> str:
    """`47 nodes`, or the name of a single one, or of two."""
    if len(names) == 1:
        return names[0]
    return both(names) if len(names) == 2 else counted(len(names), "node")


def _sentence(difference: Difference, seen: int, most: list[str], names: list[str]) -> str:
    """A difference between most nodes, which see `seen` endpoints, and others; one about an endpoint ends in it."""
    who, others = count_of(names), count_of(most)
    alone, one = len(names) == 1, len(most) == 1
    they_see = f"{others} {'sees' if one else 'see'} {some(seen, 'endpoint')}"
    if difference.kind is DifferenceKind.ENDPOINT_ADDED:
        return f"{they_see}, {who} still {'sees' if alone else 'see'} {difference.after}"
    if difference.kind is DifferenceKind.ENDPOINT_REMOVED:
        return f"{they_see}, {who} {'does' if alone else 'do'} not see {difference.before}"
    if difference.kind is DifferenceKind.SERVICE_REMOVED:
        return f"{others} {'has' if one else 'have'} this service port, {who} {'lacks' if alone else 'lack'} it"
    if difference.kind is DifferenceKind.SERVICE_ADDED:
        return f"{others} {'lacks' if one else 'lack'} this service port, {who} {'has' if alone else 'have'} it"
    return f"{others} against {who}: {difference.message}"
