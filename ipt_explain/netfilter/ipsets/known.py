"""The known sets of a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ipt_explain.model.node.ipsets import Dimension, IpSet, SetMethod
from ipt_explain.netfilter.ipsets.exact import DestinationTable
from ipt_explain.netfilter.ipsets.index import SetIndex
from ipt_explain.netfilter.ipsets.shown import ANY_PROTOCOL, Shown, port_owner, value_of
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.truth import Truth

_NOWHERE = Heading(None, None)


class KnownSets:
    """Sets by name. Each is indexed when a rule first uses it."""

    def __init__(self, sets: Mapping[str, IpSet]) -> None:
        self._sets = sets
        self._indexes: dict[str, SetIndex] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._sets

    def holds(self, name: str, directions: Sequence[str], state: PacketState, to: Heading) -> Truth:
        """Whether a set has the packet's addresses and ports in these directions (`src`, `dst`), as in `--match-set`.

        UNKNOWN if the input lacks the set, or shows too little of the packet or the set. A set of the other family, or
        with more dimensions than directions, never matches (xt_set and ip_set_core.c).
        """
        found = self._sets.get(name)
        if found is None:
            return Truth.UNKNOWN
        table = self._table(name, directions, state)
        if table is not None and not table.unclear((to,)):
            return table.look_up((to,))[0]
        if found.method is SetMethod.LIST:
            return self._listed(found, directions, state, to)
        return self._holds(found, directions, state, to)

    def hold_each(
        self, name: str, directions: Sequence[str], state: PacketState, to: Sequence[Heading]
    ) -> Sequence[Truth]:
        """`holds` for each of many packets."""
        table = self._table(name, directions, state)
        if table is None:
            known = {each: self.holds(name, directions, state, each) for each in dict.fromkeys(to)}
            return list(map(known.__getitem__, to))
        held = table.look_up(to)
        for row in table.unclear(to):
            held[row] = self.holds(name, directions, state, to[row])
        return held

    def _table(self, name: str, directions: Sequence[str], state: PacketState) -> DestinationTable | None:
        """Whether a set contains each destination; None if it has networks or the like."""
        found = self._sets.get(name)
        if found is None or found.family not in (None, state.connection.family):
            return None
        if found.method is SetMethod.LIST or len(directions) < len(found.dimensions):
            return None
        owner = port_owner(found.method, state.connection.protocol)
        values: list[Shown | None] = []
        for dimension, direction in zip(found.dimensions, directions):
            of_address = dimension in (Dimension.IP, Dimension.NET)
            if direction != "src" and (of_address or (dimension is Dimension.PORT and owner is not None)):
                values.append(None)
            else:
                values.append(value_of(found, dimension, direction == "src", state, _NOWHERE))
        return self._index(found).by_destination(tuple(values), owner or ANY_PROTOCOL) if None in values else None

    def _index(self, found: IpSet) -> SetIndex:
        index = self._indexes.get(found.name)
        if index is None:
            index = self._indexes[found.name] = SetIndex(found)
        return index

    def _listed(self, found: IpSet, directions: Sequence[str], state: PacketState, to: Heading) -> Truth:
        """A list of sets has what any of its members has. The kernel allows no lists as members."""
        held = Truth.NO if found.complete else Truth.UNKNOWN
        for element in found.elements:
            member = self._sets.get(str(element.parts[0])) if element.parts else None
            if member is None or member.method is SetMethod.LIST:
                held = held | Truth.UNKNOWN
            else:
                held = held | self._holds(member, directions, state, to)
            if held is Truth.YES:
                break
        return held

    def _holds(self, found: IpSet, directions: Sequence[str], state: PacketState, to: Heading) -> Truth:
        if found.family is not None and found.family is not state.connection.family:
            return Truth.NO
        if Dimension.SET in found.dimensions:
            return Truth.UNKNOWN
        if len(directions) < len(found.dimensions):
            return Truth.NO
        return self._index(found).holds(
            [
                value_of(found, dimension, direction == "src", state, to)
                for dimension, direction in zip(found.dimensions, directions)
            ]
        )
