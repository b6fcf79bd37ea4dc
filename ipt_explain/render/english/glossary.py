"""What is known about a ruleset's own words: names of mark bits, and what its chains are for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ipt_explain.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Glossary:
    """Names that make a sentence about a rule more telling.

    `marks` names single mark bits (`{0x4000: "the masquerade mark"}`); `chain` says in a few words what a chain of this
    name is for, or None.
    """

    marks: Mapping[int, str] = field(default_factory=dict)
    chain: Callable[[str], str | None] = lambda name: None


NOTHING_KNOWN = Glossary()
