"""Where a fault is in the text."""

from __future__ import annotations

from collections.abc import Iterable

from ipt_explain.model import Chain, Rule
from ipt_explain.records import Record


class Location(Record):
    """Where a fault is: a rule, a chain, a table, or nowhere in particular.

    The line gives the table of a rule or chain. `text` identifies the place when lines move: the rule without its
    counters. `focus` is the part of the line to point at, as written there (`--probability 0.5`); "" points at all of
    it.
    """

    chain: str | None = None
    line: int | None = None
    text: str = ""
    focus: str = ""
    table: str | None = None


NOWHERE = Location()
"""The place of a fault of a whole ruleset."""


def at_rule(rule: Rule, focus: str = "") -> Location:
    """The place of a fault in a rule."""
    return Location(rule.chain, rule.line, rule.text, focus)


def at_chain(chain: Chain) -> Location:
    """The place of a fault of a chain: its declaration, or its first rule if it has none."""
    line = chain.line
    if line is None and chain.layout.shapes:
        line = chain.line_of(0)
    return Location(chain.name, line)


def at_rule_or_chain(rule: Rule | None, chain: Chain) -> Location:
    """The place of a fault in a rule, or of its chain where no rule shows it."""
    return at_chain(chain) if rule is None else at_rule(rule)


def chain_lines(chains: Iterable[Chain]) -> tuple[int, ...]:
    """The lines of chains, as far as the text has them."""
    return tuple(line for chain in chains if (line := at_chain(chain).line) is not None)


def at_table(table: str, line: int | None = None, chain: str | None = None) -> Location:
    """The place of a fault of a table, or of a chain that the text does not have."""
    return Location(chain, line, table=table)
