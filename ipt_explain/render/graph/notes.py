"""Notes on Services and faults in a picture of chains: a chain's Service, its leaks, what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat

from ipt_explain.audit.findings.finding import Finding
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.columns import column
from ipt_explain.enums import Enum
from ipt_explain.records import Record, field
from ipt_explain.render.text.safe import escape
from ipt_explain.services.ports import Frontend, FrontendKind, ServicePort
from ipt_explain.words import address_port, and_more

SHOWN_ADDRESSES = 3
LONGEST = 120


class Role(Enum):
    """What a chain is to a Service."""

    SERVICE = "service"
    ENDPOINT = "endpoint"


class ChainNote(Record):
    """A Service's chain: `lines` name the Service and its addresses; `unmatched` is the share of connections that leave
    it without an endpoint, None if it does not balance. All text is escaped."""

    service: str
    role: Role
    lines: tuple[str, ...] = ()
    unmatched: float | None = None


class Notes(Record):
    """Notes on chains, and the faults of chains and lines. May be empty."""

    _chains: dict[tuple[str, str], dict[str, ChainNote]] = field(default_factory=dict)
    _faults: dict[tuple[str, str, str], dict[str, list[str]]] = field(default_factory=dict)
    _lines: dict[str, set[int]] = field(default_factory=dict)

    def of_chains(self, source: str, family: str) -> dict[str, ChainNote]:
        """The notes on chains of Services, by name."""
        return self._chains.setdefault((source, family), {})

    def of_faults(self, source: str, family: str, table: str) -> dict[str, list[str]]:
        """The audit rules with findings about a chain, by its name: `IPT202 traffic-leaks`."""
        return self._faults.setdefault((source, family, table), {})

    def faulty_lines(self, source: str) -> set[int]:
        """The lines that findings are about."""
        return self._lines.setdefault(source, set())


def notes_of(services: Iterable[ServicePort], findings: Iterable[Finding]) -> Notes:
    """Notes on Services, and on findings that are errors or warnings."""
    notes = Notes()
    for service in services:
        known = notes.of_chains(service.source, service.family.value)
        for chain, note in _chains(service):
            known.setdefault(chain, note)
    for finding in findings:
        if finding.severity is Severity.INFO:
            continue
        if finding.chain is not None and finding.table is not None:
            faults = notes.of_faults(finding.source, finding.family.value, finding.table)
            names = faults.setdefault(finding.chain, [])
            name = f"{finding.rule} {finding.name}"
            if name not in names:
                names.append(name)
        if finding.line is not None:
            notes.faulty_lines(finding.source).add(finding.line)
    return notes


def shortened(text: str) -> str:
    """A text cut to fit into a picture."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _chains(service: ServicePort) -> Iterator[tuple[str, ChainNote]]:
    label, chains = service.label, service.chains
    unmatched = {balancer.chain: balancer.unmatched for balancer in service.balancers}
    inner = [each for each in service.frontends if each.kind is FrontendKind.CLUSTER_IP]
    outer = [each for each in service.frontends if each.kind is not FrontendKind.CLUSTER_IP]
    named: tuple[tuple[str | None, str, list[Frontend]], ...] = (
        (chains.service, label, inner),
        (chains.local, f"{label}, endpoints on this node", []),
        (chains.external, f"{label}, from outside", outer),
        (chains.firewall, f"{label}, source ranges", [each for each in outer if each.source_ranges]),
    )
    for chain, title, frontends in named:
        if chain is not None:
            lines = tuple(shortened(escape(line)) for line in (title, *_addresses(frontends, service.protocol)))
            yield chain, ChainNote(escape(label), Role.SERVICE, lines, unmatched.get(chain))
    yield from zip(column(service.endpoints, "chain"), repeat(ChainNote(escape(label), Role.ENDPOINT)))


def _addresses(frontends: list[Frontend], protocol: str) -> Iterator[str]:
    for frontend in frontends[:SHOWN_ADDRESSES]:
        if frontend.address is None:
            yield f"node port {frontend.port}/{protocol}"
        else:
            yield f"{address_port(frontend.address, frontend.port)}/{protocol}"
    if len(frontends) > SHOWN_ADDRESSES:
        yield f"…{and_more(len(frontends) - SHOWN_ADDRESSES, 'address')}"
