"""The known sets of a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ipt_explain.model.node.ipsets import Dimension, IpSet, SetMethod
from ipt_explain.netfilter.ipsets.index import SetIndex
from ipt_explain.netfilter.ipsets.shown import value_of
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.truth import Truth


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
        if found.method is SetMethod.LIST:
            return self._listed(found, directions, state, to)
        return self._holds(found, directions, state, to)

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
        index = self._indexes.get(found.name)
        if index is None:
            index = self._indexes[found.name] = SetIndex(found)
        return index.holds(
            [
                value_of(found, dimension, direction == "src", state, to)
                for dimension, direction in zip(found.dimensions, directions)
            ]
        )
