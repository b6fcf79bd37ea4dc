"""The impact of a finding: how much traffic is lost at its place."""

from __future__ import annotations

from ipt_explain.records import Record


class Impact(Record):
    """How many service ports lose connections at one place; one that loses a share of them counts as that share.
    `most`: they are most of the node's service ports."""

    lost: float = 0.0
    most: bool = False

    def __add__(self, other: Impact) -> Impact:
        return Impact(self.lost + other.lost, self.most or other.most)


NO_IMPACT = Impact()
"""The impact of a finding at whose place no lost connections are known."""
