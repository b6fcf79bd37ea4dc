"""A difference: its subject, the values before and after, and a sentence for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipt_explain.columns import Columns, in_columns
from ipt_explain.enums import Enum
from ipt_explain.model import Family
from ipt_explain.records import Record

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]
"""Values of `before` and `after`, as in JSON."""


class DifferenceKind(Enum):
    """Kinds of differences, with the words of the JSON output."""

    SERVICE_ADDED = "service-added"
    SERVICE_REMOVED = "service-removed"
    ENDPOINT_ADDED = "endpoint-added"
    ENDPOINT_REMOVED = "endpoint-removed"
    PROBABILITY = "probability"
    AFFINITY = "affinity"
    POLICY = "policy"
    VERDICT = "verdict"
    FRONTEND_ADDED = "frontend-added"
    FRONTEND_REMOVED = "frontend-removed"
    SOURCE_RANGES = "source-ranges"
    MASQUERADE = "masquerade"
    HOOK = "hook"
    CHAIN_POLICY = "chain-policy"
    FOREIGN_RULES = "foreign-rules"
    FATE = "fate"


JSON_FIELDS = ("kind", "service", "protocol", "family", "subject", "before", "after", "nodes", "message", "note")
"""The fields that `compare -o json` prints, in order."""


def in_one(parts: Iterable[Sequence[Difference]]) -> Sequence[Difference]:
    """The differences of all parts, one after the other; in columns, as there may be hundreds of thousands."""
    some = list(filter(None, parts))
    if len(some) < 2:
        return some[0] if some else ()
    return Columns.joined([in_columns(part, Difference) for part in some])


class Difference(Record):
    """One difference.

    `subject` is the part of the service (or of the node, if `service` is None) that differs: a frontend, a policy, a
    chain. `nodes` are the names on both sides if many nodes are compared. `cause` says what loses connections, or how
    they are masqueraded; differences with the same one are folded. `note` is a possible explanation.
    """

    kind: DifferenceKind
    family: Family
    message: str
    service: str | None = None
    protocol: str | None = None
    subject: str | None = None
    before: Value = None
    after: Value = None
    nodes: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    cause: str | None = None
    note: str | None = None

    def to_json(self, nodes: Value = None) -> dict[str, Value]:
        """The difference as `compare -o json` prints it; `nodes` are the sets of nodes on either side, by id."""
        values = {name: getattr(self, name) for name in JSON_FIELDS}
        return {**values, "kind": self.kind.value, "family": self.family.value, "nodes": nodes}
