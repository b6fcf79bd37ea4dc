"""What a rule reports: the fault and its place. The runner adds who reports it and in which source."""

from __future__ import annotations

from ipt_explain.audit.severity import Severity
from ipt_explain.model import Chain, Rule, Ruleset
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fault stands: a rule, a chain, a table, or nowhere in particular.

    The table of a rule or a chain is found by its line. `text` identifies the place when lines move: the rule without
    its counters. `focus` is the part of the line to point at, as it stands there (`--probability 0.5`); "" points at
    all of it.
    """

    chain: str | None = None
    line: int | None = None
    text: str = ""
    focus: str = ""
    table: str | None = None


NOWHERE = Place()
"""The place of a fault of a whole ruleset."""


def at_rule(rule: Rule, focus: str = "") -> Place:
    """The place of a fault that stands in a rule."""
    return Place(rule.chain, rule.line, rule.text, focus)


def at_chain(chain: Chain) -> Place:
    """The place of a fault of a chain: its declaration, or its first rule where it has none."""
    line = chain.line
    if line is None and chain.layout.shapes:
        line = chain.line_of(0)
    return Place(chain.name, line)


def at_table(table: str, line: int | None = None, chain: str | None = None) -> Place:
    """The place of a fault of a table, or of a chain that the text does not have."""
    return Place(chain, line, table=table)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as a rule sees it.

    `message` says what is wrong and what it does to traffic, in words and numbers; `help` says what to do. `related`
    are other lines that show it. `severity` replaces the rule's own where the case is graver or lighter. `key` tells
    apart several faults at one place (else their fingerprints differ by order alone). `ruleset` is for rules that
    judge the dump as a whole; the others leave it None. `services` are all that one cause hits, where they are several.
    """

    message: str
    help: str
    at: Place = NOWHERE
    service: str | None = None
    related: tuple[int, ...] = ()
    severity: Severity | None = None
    key: str = ""
    ruleset: Ruleset | None = None
    services: tuple[str, ...] = ()
