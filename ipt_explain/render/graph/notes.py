"""Notes on Services and faults in a picture of chains: a chain's Service, its leaks, what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ipt_explain.audit.findings.finding import Finding
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.enums import Enum
from ipt_explain.model import Ruleset
from ipt_explain.records import dataclass, field
from ipt_explain.services.ports import Frontend, FrontendKind, ServicePort
from ipt_explain.words.addresses import address_port
from ipt_explain.words.counts import and_more

SHOWN_ADDRESSES = 3

_Key = tuple[str, str, str]


class Role(Enum):
    """What a chain is to a Service."""

    SERVICE = "service"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True)
class ChainNote:
    """A Service's chain: `lines` name the Service and its addresses; `unmatched` is the share of connections that leave
    it without an endpoint, None if it does not balance.
    """

    service: str
    role: Role
    lines: tuple[str, ...] = ()
    unmatched: float | None = None


@dataclass(frozen=True, slots=True)
class Notes:
    """Notes on chains, and the faults of chains and lines. May be empty."""

    chains: dict[_Key, ChainNote] = field(default_factory=dict)
    faults: dict[tuple[_Key, str], list[str]] = field(default_factory=dict)
    lines: set[tuple[str, int]] = field(default_factory=set)

    def of_chain(self, ruleset: Ruleset, chain: str) -> ChainNote | None:
        """The note on a chain."""
        return self.chains.get((ruleset.source, ruleset.family.value, chain))

    def faults_of(self, ruleset: Ruleset, table: str, chain: str) -> tuple[str, ...]:
        """The audit rules with findings about a chain: `IPT202 traffic-leaks`."""
        return tuple(self.faults.get(((ruleset.source, ruleset.family.value, chain), table), ()))

    def is_faulty(self, ruleset: Ruleset, line: int) -> bool:
        """Whether a finding is about a line."""
        return (ruleset.source, line) in self.lines


def notes_of(services: Iterable[ServicePort], findings: Iterable[Finding]) -> Notes:
    """Notes on Services, and on findings that are errors or warnings."""
    notes = Notes()
    for service in services:
        for chain, note in _chains(service):
            notes.chains.setdefault((service.source, service.family.value, chain), note)
    for finding in findings:
        if finding.severity is Severity.INFO:
            continue
        if finding.chain is not None and finding.table is not None:
            key = (finding.source, finding.family.value, finding.chain), finding.table
            names = notes.faults.setdefault(key, [])
            name = f"{finding.rule} {finding.name}"
            if name not in names:
                names.append(name)
        if finding.line is not None:
            notes.lines.add((finding.source, finding.line))
    return notes


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
            lines = (title, *_addresses(frontends, service.protocol))
            yield chain, ChainNote(label, Role.SERVICE, lines, unmatched.get(chain))
    for endpoint in service.endpoints:
        if endpoint.chain is not None:
            yield endpoint.chain, ChainNote(label, Role.ENDPOINT)


def _addresses(frontends: list[Frontend], protocol: str) -> Iterator[str]:
    for frontend in frontends[:SHOWN_ADDRESSES]:
        if frontend.address is None:
            yield f"node port {frontend.port}/{protocol}"
        else:
            yield f"{address_port(frontend.address, frontend.port)}/{protocol}"
    if len(frontends) > SHOWN_ADDRESSES:
        yield f"…{and_more(len(frontends) - SHOWN_ADDRESSES)}"
