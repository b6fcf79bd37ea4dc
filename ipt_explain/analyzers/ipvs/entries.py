"""The elements of kube-proxy's sets, by address and port."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.analyzers.ipvs.set_names import SetRole, set_name
from ipt_explain.model import Family
from ipt_explain.model.node import NodeFacts, NodeSet
from ipt_explain.model.node.ipsets import SetElement, SetPort
from ipt_explain.records import Record

Place = tuple[str, str | None, int]
"""Protocol, address and port; the address is None in a set that has only ports."""

_PROTOCOLS = {
    SetRole.NODE_PORT_TCP: "tcp",
    SetRole.NODE_PORT_LOCAL_TCP: "tcp",
    SetRole.NODE_PORT_UDP: "udp",
    SetRole.NODE_PORT_LOCAL_UDP: "udp",
    SetRole.NODE_PORT_SCTP_BITMAP: "sctp",
    SetRole.NODE_PORT_LOCAL_SCTP_BITMAP: "sctp",
    SetRole.HEALTH_CHECK_NODE_PORT: "tcp",
}
"""The protocol of a bitmap of ports, which only the set's name says."""


class SetEntry(Record):
    """An element of one of kube-proxy's sets, on `line` of `source`. `rest` is what follows the port: a network or an
    address of clients."""

    role: SetRole
    place: Place
    source: str
    line: int
    rest: tuple[str, ...] = ()


class SetEntries:
    """The elements of kube-proxy's sets of one family, by role and place. A role is absent if its set is not in the
    input."""

    def __init__(self, facts: NodeFacts, family: Family) -> None:
        self._by_role: dict[SetRole, dict[Place, list[SetEntry]]] = {}
        self._incomplete: set[SetRole] = set()
        for role in SetRole:
            found = facts.sets.get(set_name(role, family))
            if found is not None:
                self._by_role[role] = _by_place(role, found)
                if not found.set.complete:
                    self._incomplete.add(role)

    def knows(self, role: SetRole) -> bool:
        """Whether the whole set is known."""
        return role in self._by_role and role not in self._incomplete

    def at(self, role: SetRole, place: Place) -> list[SetEntry]:
        """The elements of a set for a place."""
        return self._by_role.get(role, {}).get(place, [])

    def of(self, role: SetRole) -> Iterator[SetEntry]:
        """All elements of a set, in the order printed."""
        for entries in self._by_role.get(role, {}).values():
            yield from entries

    def holds(self, role: SetRole, place: Place) -> bool | None:
        """Whether a set has a place; None if that is unknown."""
        if self.at(role, place):
            return True
        return False if self.knows(role) else None


def _by_place(role: SetRole, found: NodeSet) -> dict[Place, list[SetEntry]]:
    places: dict[Place, list[SetEntry]] = {}
    for element in found.set.elements:
        entry = _entry(role, found.source, element)
        if entry is not None:
            places.setdefault(entry.place, []).append(entry)
    return places


def _entry(role: SetRole, source: str, element: SetElement) -> SetEntry | None:
    address: str | None = None
    port: SetPort | None = None
    rest: list[str] = []
    for part in element.parts:
        if isinstance(part, SetPort):
            port = part
        elif isinstance(part, str):
            if address is None and port is None:
                address = part
            else:
                rest.append(part)
    if role is SetRole.BOUND_ADDRESSES:
        return None if address is None else SetEntry(role, ("", address, 0), source, element.line)
    if port is None or not port.port.isdecimal():
        return None
    protocol = _PROTOCOLS.get(role, port.protocol)
    return SetEntry(role, (protocol or "", address, int(port.port)), source, element.line, tuple(rest))
