"""The severity of a finding."""

from __future__ import annotations

from ipt_explain.enums import Enum


class Severity(Enum):
    """How much a finding matters. Severities are ordered: `Severity.INFO < Severity.ERROR`."""

    ERROR = "error"  # traffic is lost, misrouted or exposed, or iptables-restore refuses the rules
    WARNING = "warning"  # probably a fault, or harmful for some traffic
    INFO = "info"  # worth knowing

    @property
    def rank(self) -> int:
        """0 for INFO up to 2 for ERROR."""
        return _RANKS[self.value]

    def __lt__(self, other: Severity) -> bool:
        return self.rank < other.rank

    def __le__(self, other: Severity) -> bool:
        return self.rank <= other.rank


_RANKS = {"info": 0, "warning": 1, "error": 2}
