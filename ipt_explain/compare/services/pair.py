"""One service port in two dumps."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.columns import Columns, constant
from ipt_explain.compare.differences import Difference, DifferenceKind, Value
from ipt_explain.compare.services.views import ServiceView
from ipt_explain.records import Record


class Pair(Record):
    """A service port before and after, and the endpoints of each. `named`: both dumps name it."""

    before: ServiceView
    after: ServiceView
    earlier: frozenset[str]
    later: frozenset[str]
    common: frozenset[str]
    named: bool
    label: str

    @classmethod
    def of(cls, before: ServiceView, after: ServiceView) -> Pair:
        """The pair of two views."""
        earlier, later = before.endpoints(), after.endpoints()
        label = after.label if after.named else before.label
        return cls(before, after, earlier, later, earlier & later, before.named and after.named, label)

    def difference(
        self, kind: DifferenceKind, subject: str | None, before: Value, after: Value, message: str
    ) -> Difference:
        """A difference of this service port."""
        return Difference(kind, self.after.family, message, self.label, self.after.protocol, subject, before, after)

    def differences(
        self, subject: str | None, kinds: Sequence[DifferenceKind], before: Sequence[Value], after: Sequence[Value],
        messages: Sequence[str],
    ) -> Sequence[Difference]:  # fmt: skip
        """Differences of this service port with one subject."""
        of_all = (subject, self.label, self.after.protocol, self.after.family)
        subjects, labels, protocols, families = [constant(value, len(kinds)) for value in of_all]
        return Columns(
            Difference,
            {
                "kind": kinds, "family": families, "message": messages, "service": labels, "protocol": protocols,
                "subject": subjects, "before": before, "after": after,
            },
        )  # fmt: skip
