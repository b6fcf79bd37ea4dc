"""Three-valued truth: a match is true, false, or unknown because the dump does not show enough."""

from __future__ import annotations

from ipt_explain.enums import Enum


class Truth(Enum):
    """Whether something holds. `UNKNOWN` never silently becomes `NO`: it is decided or reported."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    @staticmethod
    def of(value: bool) -> Truth:
        """`YES` or `NO`."""
        return Truth.YES if value else Truth.NO

    def inverted(self, invert: bool = True) -> Truth:
        """Its negation if `invert`, as with `!` in a rule."""
        if not invert or self is Truth.UNKNOWN:
            return self
        return Truth.NO if self is Truth.YES else Truth.YES

    def __and__(self, other: Truth) -> Truth:
        if self is Truth.NO or other is Truth.NO:
            return Truth.NO
        return Truth.UNKNOWN if Truth.UNKNOWN in (self, other) else Truth.YES

    def __or__(self, other: Truth) -> Truth:
        if self is Truth.YES or other is Truth.YES:
            return Truth.YES
        return Truth.UNKNOWN if Truth.UNKNOWN in (self, other) else Truth.NO
