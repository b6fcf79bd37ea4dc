"""How much of a ruleset its text shows, and what the text of a rule hides.

What is absent from a whole text is absent from the kernel; what is absent from any other is unknown.
"""

from __future__ import annotations

from ipt_explain.enums import Enum


class Extent(Enum):
    """How much of a chain's rules, or of a table's chains, a text shows."""

    WHOLE = "whole"  # all
    START = "start"  # the first ones, without a gap; the text is cut: more may follow
    END = "end"  # the last ones; the text begins in the middle: more come before
    SOME = "some"  # output of grep, or appended rules: others may come before, between and after
    HOLED = "holed"  # a part, from which lines are missing here and there
    NONE = "none"  # none: the chain or table is not in the text


class Hidden(Enum):
    """What a rule may have that its text does not show. Such a rule is never known to match, or to do nothing else."""

    INTERFACES = "interfaces"  # `iptables -L` without -v prints no -i and no -o
    CONDITIONS = "conditions"  # words of a listing that no known match prints, `-m NAME [unsupported revision]`
    TARGET = "target"  # what the target does in detail: `-j DNAT [unsupported revision]`
