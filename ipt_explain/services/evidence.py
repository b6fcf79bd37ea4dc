"""The rules that facts come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ipt_explain.model import Chain, Rule, Shape
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """Rule `number` (from 0) of a chain. A big dump has as many as facts, so the rule is made only where one asks."""

    chain: Chain
    number: int

    def word(self, slot: int) -> str:
        """A value of the rule as written, by slot (from 1) of its shape."""
        return self.chain.at(self.chain.layout.offsets[self.number] + slot)

    @property
    def shape(self) -> Shape:
        """The rule's form."""
        return self.chain.layout.shapes[self.number]

    @property
    def target(self) -> str | None:
        """Where the rule sends the packet: a verdict, an extension or a chain; None where it only counts."""
        return self.chain.target_of(self.number)

    @property
    def line(self) -> int:
        """The line on which the rule begins."""
        return self.chain.line_of(self.number)

    @property
    def text(self) -> str:
        """The rule as `iptables-save` prints it, without counters."""
        return self.rule.text

    @property
    def rule(self) -> Rule:
        """The rule itself."""
        return self.chain.rule(self.number)


@dataclass(frozen=True, slots=True)
class Shown:
    """What tells a fact where no rule of iptables does: an element of a map of nftables, a virtual server of IPVS.

    `line` is 1-based; it is the first in JSON, which has no lines. `say` makes the text, where one asks for it.
    """

    line: int
    say: Callable[[], str]

    @property
    def text(self) -> str:
        """It as its tool prints it."""
        return self.say()


def rules_of(chain: Chain | None) -> Iterator[Evidence]:
    """The rules of a chain, in order; none of a chain that the text lacks."""
    if chain is not None:
        for number in range(len(chain.layout)):
            yield Evidence(chain, number)
