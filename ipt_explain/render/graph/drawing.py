"""A picture of the chain graph, independent of its format: chains, jumps, their labels and looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ipt_explain.enums import Enum
from ipt_explain.records import Record
from ipt_explain.render.graph.notes import ChainNote, Role, shortened
from ipt_explain.words import and_more
from ipt_explain.words.percents import percent

if TYPE_CHECKING:
    from ipt_explain.graph.jumps import Jump
    from ipt_explain.netfilter.nft.jumps import NftJump

# Kinds of chains: `unknown` is a jump's target that a fragment does not show, `missing` one that does not exist.
BUILT_IN, CHAIN, MISSING, UNKNOWN = "built-in", "chain", "missing", "unknown"

LEAK = "no endpoint: leaves untranslated"
SHOWN_LABELS = 4


class DrawnChain(Record):
    """A chain in a picture. All text is escaped.

    `ends` are the actions of its rules other than jumps: `DNAT 10.244.1.9:8080`, `REJECT`, `policy DROP`. `note` tells
    the Service that it belongs to; `faults` are the audit's findings about it.
    """

    id: str
    group: str
    name: str
    kind: str
    owner: str | None
    purpose: str | None
    rules: int
    ends: tuple[str, ...]
    line: int | None
    note: ChainNote | None = None
    faults: Sequence[str] = ()

    @property
    def unmatched(self) -> float | None:
        """The share of connections that leave it without an endpoint."""
        return None if self.note is None else self.note.unmatched

    @property
    def leaks(self) -> bool:
        """Whether some connections leave it without an endpoint."""
        return bool(self.unmatched)

    @property
    def lines(self) -> list[str]:
        """The text of its box: its owner, its name, what it does, what is wrong with it."""
        about = () if self.note is None else self.note.lines
        return [*about, shortened(self.name), *self.ends, *self.faults]


class DrawnJump(Record):
    """A jump in a picture. `share` is its part of the packets that reach the chain's `statistic` rules; `faulty` says
    that a finding is about its rule. `key` distinguishes jumps between the same two chains; `line` is None if the input
    has no lines."""

    source: str
    target: str
    line: int | None
    jump: Jump | NftJump
    label: str
    goto: bool
    share: float | None
    faulty: bool
    key: int


Arrow = tuple[str, str, bool, bool]
"""Source, target, whether its jumps are gotos, and whether they are faulty."""


class Drawing:
    """A picture: chains by group (a table of a ruleset), and jumps."""

    def __init__(self, chains: Sequence[DrawnChain], jumps: Sequence[DrawnJump]) -> None:
        self.chains = chains
        self.jumps = jumps

    @cached_property
    def arrows(self) -> Mapping[Arrow, list[DrawnJump]]:
        """Jumps between the same two chains together, faulty ones separately: a picture has one arrow per group."""
        together: dict[Arrow, list[DrawnJump]] = {}
        for jump in self.jumps:
            together.setdefault((jump.source, jump.target, jump.goto, jump.faulty), []).append(jump)
        return together

    @property
    def looks(self) -> list[Look]:
        """The looks that occur, for the legend."""
        found = {look_of(chain) for chain in self.chains}
        return [look for look in Look if look in found]


def labels(jumps: Sequence[DrawnJump]) -> list[str]:
    """The lines of one arrow: a few labels, and how many more there are."""
    if len(jumps) == 1:
        label = jumps[0].label
        return [shortened(label)] if label else []
    words = list(dict.fromkeys([shortened(jump.label) for jump in jumps]))
    if len(words) > SHOWN_LABELS:
        return [*words[: SHOWN_LABELS - 1], and_more(len(words) - SHOWN_LABELS + 1).strip()]
    return words if any(words) else []


class Look(Enum):
    """How a box looks, and what the legend says about that."""

    FAULT = "a fault"
    BUILT_IN = "built-in chain"
    SERVICE = "a Service's chain"
    ENDPOINT = "an endpoint's chain"
    MISSING = "does not exist"
    UNKNOWN = "not in this input"
    PLAIN = "another chain"


_LOOKS = {BUILT_IN: Look.BUILT_IN, MISSING: Look.MISSING, UNKNOWN: Look.UNKNOWN, CHAIN: Look.PLAIN}


def look_of(chain: DrawnChain) -> Look:
    """How a chain's box looks: a fault matters more than the chain's kind."""
    if chain.faults:
        return Look.FAULT
    if chain.note is not None and chain.kind == CHAIN:
        return Look.SERVICE if chain.note.role is Role.SERVICE else Look.ENDPOINT
    return _LOOKS[chain.kind]


def leak_label(chain: DrawnChain) -> str:
    """The label of the arrow that leaves a leaking chain."""
    return percent(chain.unmatched or 0.0)
