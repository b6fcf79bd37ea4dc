"""How much traffic is lost at the place of a finding."""

from __future__ import annotations

from ipt_explain.records import Record


class Reach(Record):
    """How many service ports lose connections at one place; one that loses a share of them counts as that share.
    `most`: these are most of the node's service ports."""

    lost: float = 0.0
    most: bool = False

    def __add__(self, other: Reach) -> Reach:
        return Reach(self.lost + other.lost, self.most or other.most)


NO_REACH = Reach()
"""That of findings at whose place no connections are known to be lost."""
