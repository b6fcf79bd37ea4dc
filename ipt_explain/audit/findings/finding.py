"""A finding: one fault, where it is, what it does to traffic and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipt_explain.audit.findings.impact import NO_IMPACT, Impact
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.records import Record

if TYPE_CHECKING:
    from ipt_explain.model import Family


class Finding(Record):
    """One fault found by one rule of the catalogue.

    `message` says what is wrong and what happens to traffic; `help` what to do. `line` is the primary line,
    `related_lines` are others of the same source. `services` are all Services that one cause hits, if several; then
    `service` is None. `nodes` are those that have the fault, if several were compared. `excerpt` is the primary line as
    it is in the source ("" if there is none) and `columns` the part of it to point at: 1-based, the end exclusive.
    `fingerprint` stays the same when lines move or counters grow; of several findings that would have the same
    fingerprint, the second and later ones end in `:2`, `:3`, …. `impact` is how much traffic is lost at its place.
    """

    rule: str
    name: str
    severity: Severity
    message: str
    help: str
    source: str
    family: Family
    service: str | None = None
    table: str | None = None
    chain: str | None = None
    line: int | None = None
    related_lines: tuple[int, ...] = ()
    excerpt: str = ""
    columns: tuple[int, int] | None = None
    fingerprint: str = ""
    services: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    impact: Impact = NO_IMPACT

    @property
    def column(self) -> int | None:
        """Where in the line to look, from 1."""
        return None if self.columns is None else self.columns[0]

    @property
    def found_on(self) -> tuple[str, ...]:
        """The nodes that have it, if many were compared with the cluster's objects; otherwise its dump."""
        return self.nodes or (self.source,)

    @property
    def of_node(self) -> bool:
        """Whether it is about a node as a whole: it hits most of its service ports, or names none."""
        return self.impact.most or (self.service is None and not self.services)

    @property
    def docs(self) -> str:
        """The command that prints the rule's page."""
        return f"ipt-explain rules {self.rule}"

    @property
    def subject(self) -> str:
        """The Service and a colon, to go before the message; "" for findings about the node, and if the message begins
        with the Service."""
        return f"{self.service}: " if self.service and not self.message.startswith(self.service) else ""

    def to_json(self) -> dict[str, object]:
        """The finding as `audit -o json` prints it."""
        return {
            "rule": self.rule,
            "name": self.name,
            "severity": self.severity.value,
            "message": self.message,
            "service": self.service,
            "services": list(self.services),
            "nodes": list(self.nodes),
            "source": self.source,
            "family": self.family.value,
            "table": self.table,
            "chain": self.chain,
            "line": self.line,
            "column": self.column,
            "related_lines": list(self.related_lines),
            "help": self.help,
            "docs": self.docs,
            "fingerprint": self.fingerprint,
        }


def fingerprint(*ingredients: str | None) -> str:
    """A short stable digest that identifies a finding: 16 hex digits."""
    from ipt_explain.digests import sha256  # not needed if nothing is found

    text = "\0".join(part or "" for part in ingredients)
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def by_impact(finding: Finding) -> tuple[int, bool, float, int]:
    """A sort key: by severity; then findings of the whole node (see `of_node`), then those at whose place most service
    ports lose connections, then those that name most."""
    named = len(finding.services) or (finding.service is not None)
    return -finding.severity.rank, not finding.of_node, -round(finding.impact.lost, 6), -named
