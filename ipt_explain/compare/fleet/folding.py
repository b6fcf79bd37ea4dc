"""Folding many nodes' digests: nodes that do the same form a group, which is stored once.

A group stores only its differences from a base, one of the first nodes, so memory grows with the differences, not with
the number of nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ipt_explain.compare.fleet.nodes import NotCompared
from ipt_explain.compare.fleet.records.digest import Digest, FamilyFacts
from ipt_explain.compare.services.fabric import Fabric
from ipt_explain.records import Record, field

_MOST_BASES = 8

Records = Mapping[str, str]
"""Records of service ports and chains by key."""


class NodeGroup(Record, frozen=False):
    """Nodes that do the same. `own` are the records that differ from the base's; None for a missing one."""

    base: Records
    own: dict[str, str | None]
    families: Mapping[str, FamilyFacts]
    zone: str | None
    nodes: list[str] = field(default_factory=list)

    def identity(self) -> int:
        """A hash that is equal for groups that do the same."""
        return hash((id(self.base), frozenset(self.own.items()), frozenset(self.families.items()), self.zone))

    def does_the_same(self, other: NodeGroup) -> bool:
        """Whether another group's nodes belong to this one."""
        return (
            self.base is other.base
            and self.own == other.own
            and self.families == other.families
            and self.zone == other.zone
        )

    def record(self, key: str) -> str | None:
        """The nodes' record of a key; None if they have none."""
        return self.own[key] if key in self.own else self.base.get(key)


class Fleet:
    """The nodes seen so far, the times at which their rules were taken, and nodes that cannot be compared."""

    def __init__(self) -> None:
        self._bases: list[dict[str, str]] = []
        self._groups: dict[int, list[NodeGroup]] = {}
        self._texts: dict[str, str] = {}
        self._sources: dict[str, str] = {}
        self.fabrics: dict[str, Fabric] = {}
        self.taken: dict[str, str] = {}
        self.not_compared: list[NotCompared] = []

    @property
    def node_count(self) -> int:
        """The number of nodes added."""
        return len(self._sources)

    @property
    def nodes(self) -> list[str]:
        """The names of the nodes added, in natural order."""
        return sorted(self._sources, key=natural)

    @property
    def groups(self) -> list[NodeGroup]:
        """The groups, in an order that does not depend on the order of nodes."""
        found = [group for same in self._groups.values() for group in same]
        for group in found:
            group.nodes.sort(key=natural)
        return sorted(found, key=lambda group: natural(group.nodes[0]))

    def add(self, digest: Digest, source: str = "") -> None:
        """Add a node from file `source`. A name that another node already has is refused as ambiguous."""
        other = self._sources.get(digest.node)
        if other is not None:
            why = f"{other} and {source} are both its digests: tell the nodes apart with NAME=PATH"
            self.not_compared.append(NotCompared(digest.node, why))
            return
        self._sources[digest.node] = source
        if digest.taken is not None:
            self.taken[digest.node] = digest.taken
        self.fabrics.update(digest.fabrics)
        records = {**digest.services, **digest.chains}
        base, own = self._nearest(records)
        new = NodeGroup(base, own, dict(digest.families), digest.zone, [digest.node])
        same = self._groups.setdefault(new.identity(), [])
        for group in same:
            if group.does_the_same(new):
                group.nodes.append(digest.node)
                return
        same.append(new)

    def disputed(self) -> list[str]:
        """The keys whose records differ between nodes, sorted."""
        keys: set[str] = set()
        for group in self.groups:
            keys.update(group.own)
        used = {id(group.base): group.base for group in self.groups}
        for base in list(used.values())[1:]:
            first = next(iter(used.values()))
            keys.update(key for key in {*first, *base} if first.get(key) != base.get(key))
        return sorted(keys)

    def all_keys(self) -> set[str]:
        """The keys of all nodes' records."""
        found: set[str] = set()
        for base in self._bases:
            found.update(base)
        for group in self.groups:
            found.update(key for key, record in group.own.items() if record is not None)
        return found

    def _nearest(self, records: Records) -> tuple[Records, dict[str, str | None]]:
        """The closest base, and how it differs. If all differ much, the node becomes a base itself."""
        best: tuple[Records, dict[str, str | None]] | None = None
        for base in self._bases:
            own = self._deviations(base, records)
            if best is None or len(own) < len(best[1]):
                best = (base, own)
            if not own:
                break
        if best is not None and (len(best[1]) * 2 <= len(records) or len(self._bases) >= _MOST_BASES):
            return best
        kept = {key: self._texts.setdefault(record, record) for key, record in records.items()}
        self._bases.append(kept)
        return kept, {}

    def _deviations(self, base: Records, own: Records) -> dict[str, str | None]:
        if base == own:
            return {}
        found: dict[str, str | None] = {
            key: self._texts.setdefault(record, record) for key, record in own.items() if base.get(key) != record
        }
        found.update((key, None) for key in base if key not in own)
        return found


def natural(name: str) -> list[tuple[int, int, str]]:
    """A sort key that puts node-2 before node-10."""
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


def nodes_of(groups: Iterable[NodeGroup]) -> tuple[str, ...]:
    """The names of several groups' nodes, in natural order."""
    return tuple(sorted((node for group in groups for node in group.nodes), key=natural))
