"""Names for a ruleset's own terms: mark bits, and the purpose of its chains."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ipt_explain.records import Record, field


class Glossary(Record):
    """Names to use in sentences about rules.

    `marks` names single mark bits (`{0x4000: "the masquerade mark"}`); `chain` returns the purpose of a chain in a few
    words, or None.
    """

    marks: Mapping[int, str] = field(default_factory=dict)
    chain: Callable[[str], str | None] = lambda name: None


NOTHING_KNOWN = Glossary()
