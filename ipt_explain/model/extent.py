"""How much of a ruleset its text shows, and what a rule's own text leaves out.

What is absent from a text that shows the whole is absent from the kernel; what is absent from any other is unknown.
"""

from __future__ import annotations

from ipt_explain.enums import Enum


class Extent(Enum):
    """How much of a chain's rules, or of a table's chains, a text shows."""

    WHOLE = "whole"  # all of them
    START = "start"  # the first ones without a gap, where the text is cut: more may follow
    END = "end"  # the last ones, where the text begins in the middle of it: more come before
    SOME = "some"  # what grep left, or what was appended: others may come before, between and after them
    HOLED = "holed"  # a part, from which lines are gone here and there
    NONE = "none"  # nothing: the text does not have the chain or the table


class Hidden(Enum):
    """What a rule may hold that its text does not show. Such a rule is never known to match, nor to do nothing else."""

    INTERFACES = "interfaces"  # `iptables -L` without -v prints no -i and no -o
    CONDITIONS = "conditions"  # words of a listing that no known match prints, `-m NAME [unsupported revision]`
    TARGET = "target"  # what the target does in detail: `-j DNAT [unsupported revision]`
