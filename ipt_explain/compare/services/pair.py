"""One service port in two dumps."""

from __future__ import annotations

from ipt_explain.compare.differences import Difference, DifferenceKind, Value
from ipt_explain.compare.services.views import ServiceView
from ipt_explain.records import Record


class Pair(Record):
    """A service port before and after, and the endpoints of each."""

    before: ServiceView
    after: ServiceView
    earlier: frozenset[str]
    later: frozenset[str]

    @classmethod
    def of(cls, before: ServiceView, after: ServiceView) -> Pair:
        """The pair of two views."""
        return cls(before, after, before.endpoints(), after.endpoints())

    @property
    def named(self) -> bool:
        """Whether both dumps name it."""
        return self.before.named and self.after.named

    @property
    def common(self) -> frozenset[str]:
        """The endpoints in both dumps."""
        return self.earlier & self.later

    def difference(
        self, kind: DifferenceKind, subject: str | None, before: Value, after: Value, message: str
    ) -> Difference:
        """A difference of this service port."""
        label = self.after.label if self.after.named else self.before.label
        return Difference(kind, self.after.family, message, label, self.after.protocol, subject, before, after)
