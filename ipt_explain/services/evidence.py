"""The rules behind facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import overload

from ipt_explain.model import Chain, Rule, Shape
from ipt_explain.records import Record


class Evidence(Record):
    """Rule `number` (from 0) of a chain. Large dumps have hundreds of thousands, so rule objects are made on demand."""

    chain: Chain
    number: int

    def word(self, slot: int) -> str:
        """A value of the rule as written, by slot (from 1) of its shape."""
        return self.chain.at(self.start + slot)

    @property
    def start(self) -> int:
        """Where the rule's values are in its chain's: slot 1 is the next."""
        return self.chain.layout.offsets[self.number]

    @property
    def shape(self) -> Shape:
        """The rule's form."""
        return self.chain.layout.shapes[self.number]

    @property
    def target(self) -> str | None:
        """Where the rule sends the packet: a verdict, an extension or a chain; None if it only counts."""
        return self.chain.target_of(self.number)

    @property
    def line(self) -> int:
        """The line on which the rule begins."""
        return self.chain.line_of(self.number)

    @property
    def rule(self) -> Rule:
        """The rule itself."""
        return self.chain.rule(self.number)


class SameRules(Sequence[Evidence]):
    """Rule `number` of each of these chains, as evidence made on demand. `lines` are those on which the rules begin."""

    __slots__ = ("_chains", "_number", "lines")

    def __init__(self, chains: Sequence[Chain], number: int, lines: Sequence[int]) -> None:
        self._chains = chains
        self._number = number
        self.lines = lines

    def __len__(self) -> int:
        return len(self._chains)

    @overload
    def __getitem__(self, index: int) -> Evidence: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Evidence]: ...
    def __getitem__(self, index: int | slice) -> Evidence | Sequence[Evidence]:
        if isinstance(index, slice):
            return SameRules(self._chains[index], self._number, self.lines[index])
        return Evidence(self._chains[index], self._number)


class Shown(Record):
    """Evidence other than iptables rules: an element of an nftables map, an IPVS virtual server.

    `line` is 1-based; in JSON, which has no lines of its own, it is the document's first. `say` makes the text on
    demand.
    """

    line: int
    say: Callable[[], str]

    @property
    def text(self) -> str:
        """The text as its tool prints it."""
        return self.say()


def evidence_lines(evidence: Sequence[Evidence | Shown]) -> Sequence[int]:
    """The lines on which the evidence begins."""
    return evidence.lines if isinstance(evidence, SameRules) else [each.line for each in evidence]


def rules_of(chain: Chain | None) -> Iterator[Evidence]:
    """The rules of a chain, in order; none if the text lacks the chain."""
    if chain is not None:
        for number in range(len(chain.layout)):
            yield Evidence(chain, number)
