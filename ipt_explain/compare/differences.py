"""A difference: what it is about, what was and what is, and a sentence for people."""

from __future__ import annotations

from ipt_explain.enums import Enum
from ipt_explain.model import Family
from ipt_explain.records import dataclass

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]
"""What `before` and `after` hold: as JSON prints it."""


class DifferenceKind(Enum):
    """What kind of thing differs; the words are those of the JSON output."""

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


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.

    `subject` is what of the service (or, where `service` is None, of the node) differs: a frontend, a policy, a chain.
    `nodes` are the names on either side where many nodes are compared. `cause` is what loses connections, in words, for
    a fate; `note` is what may explain the difference.
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
        return {
            "kind": self.kind.value,
            "service": self.service,
            "protocol": self.protocol,
            "family": self.family.value,
            "subject": self.subject,
            "before": self.before,
            "after": self.after,
            "nodes": nodes,
            "message": self.message,
            "note": self.note,
        }
