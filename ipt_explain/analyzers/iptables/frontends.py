"""The rules that lead to a Service: one per address and port in KUBE-SERVICES and KUBE-NODEPORTS, and the refusals of
the filter table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.analyzers.iptables.plans import Operand, Plans, RulePlan
from ipt_explain.analyzers.names import (
    EXTERNAL_SERVICES,
    MARK_MASQ,
    NODE_PORTS,
    SERVICES,
    ChainRole,
    CommentKind,
    ServicePortName,
    chain_hash,
    hash_of,
    read_comment,
    role_of,
)
from ipt_explain.model import Ruleset
from ipt_explain.netfilter.header.ports import parse_port
from ipt_explain.netfilter.header.protocols import usual_name
from ipt_explain.records import dataclass, field
from ipt_explain.services.evidence import Evidence, rules_of
from ipt_explain.services.ports import FrontendKind
from ipt_explain.words.addresses import without_prefix

_KINDS = {
    CommentKind.CLUSTER_IP: FrontendKind.CLUSTER_IP,
    CommentKind.EXTERNAL_IP: FrontendKind.EXTERNAL_IP,
    CommentKind.LOAD_BALANCER: FrontendKind.LOAD_BALANCER,
}


@dataclass(frozen=True, slots=True)
class Address:
    """A frontend's address, protocol and port. A node port has no address of its own."""

    host: str | None
    protocol: str
    port: int


@dataclass(slots=True)
class Entry:
    """All that the input says about one frontend, while it is gathered.

    `jumps` lead to its chains, first match first; `marks` mark for masquerading on the way; `refusal` is the filter
    table's REJECT or DROP.
    """

    kind: FrontendKind
    address: Address
    name: ServicePortName | None
    jumps: list[Evidence] = field(default_factory=list)
    marks: list[Evidence] = field(default_factory=list)
    refusal: Evidence | None = None
    refusal_kind: CommentKind | None = None

    @property
    def evidence(self) -> Evidence:
        """The rule to show for the frontend."""
        if self.jumps:
            return self.jumps[0]
        assert self.refusal is not None
        return self.refusal


@dataclass(slots=True)
class Entries:
    """A service port's entries, by the hash in its chains' names."""

    key: str
    name: ServicePortName | None = None
    entries: list[Entry] = field(default_factory=list)

    @property
    def hosts(self) -> Iterator[str | None]:
        """The addresses of its frontends."""
        return (entry.address.host for entry in self.entries)


class FrontendReader:
    """Gathers the frontends of one ruleset. `unread` are rules that lead to a Service's chain, but name no address and
    port; kube-proxy writes none.
    """

    def __init__(self, ruleset: Ruleset, plans: Plans) -> None:
        self._ruleset = ruleset
        self._plans = plans
        self._groups: dict[str, Entries] = {}
        self._by_address: dict[Address, tuple[Entries, Entry]] = {}
        self._marks: dict[Address, list[Evidence]] = {}
        self._others: list[tuple[Evidence, RulePlan, Address, str]] = []
        self.unread: list[Evidence] = []

    def read(self) -> list[Entries]:
        """All service ports with a frontend in the text, in the order met."""
        for evidence, plan in self._rules("nat", SERVICES):
            self._take(evidence, plan, node_port=False)
        for evidence, plan in self._rules("nat", NODE_PORTS):
            self._take(evidence, plan, node_port=True)
        for other in self._others:
            if other[2] not in self._by_address:
                self._lead(*other)
        for chain in (SERVICES, EXTERNAL_SERVICES):
            for evidence, plan in self._rules("filter", chain):
                self._refuse(evidence, plan, chain)
        for address, marks in self._marks.items():
            if address in self._by_address:
                self._by_address[address][1].marks = marks
        return list(self._groups.values())

    def _rules(self, table: str, name: str) -> Iterator[tuple[Evidence, RulePlan]]:
        chain = self._ruleset.chain(table, name)
        for evidence in rules_of(chain):
            yield evidence, self._plans[evidence.shape]

    def _take(self, evidence: Evidence, plan: RulePlan, node_port: bool) -> None:
        target = evidence.target
        if target is None or target == NODE_PORTS:
            return
        addresses = _addresses(plan, evidence, node_port)
        if not addresses and hash_of(target) is not None:
            self.unread.append(evidence)
        for address in addresses:
            if target == MARK_MASQ or target == "MARK":
                self._marks.setdefault(address, []).append(evidence)
            elif hash_of(target) is None:  # not kube-proxy's: a frontend only if kube-proxy has no rule for it
                self._others.append((evidence, plan, address, target))
            else:
                self._lead(evidence, plan, address, target)

    def _lead(self, evidence: Evidence, plan: RulePlan, address: Address, target: str) -> None:
        comment = plan.comment_at(evidence)
        name, kind = (None, CommentKind.BARE) if comment is None else read_comment(comment)
        known = self._by_address.get(address)
        if known is not None:
            known[1].jumps.append(evidence)
            return
        key = hash_of(target) or _key(name, address)
        frontend_kind = FrontendKind.NODE_PORT if address.host is None else _KINDS.get(kind) or _kind_by_target(target)
        self._add(key, Entry(frontend_kind, address, name, jumps=[evidence]))

    def _refuse(self, evidence: Evidence, plan: RulePlan, chain: str) -> None:
        if plan.target == "REJECT" or plan.target == "DROP":
            for address in _addresses(plan, evidence, node_port=plan.destination is None):
                self._decline(evidence, plan, chain, address)

    def _decline(self, evidence: Evidence, plan: RulePlan, chain: str, address: Address) -> None:
        comment = plan.comment_at(evidence)
        name, kind = (None, CommentKind.BARE) if comment is None else read_comment(comment)
        known = self._by_address.get(address)
        if known is not None:
            if known[1].refusal is None:
                known[1].refusal, known[1].refusal_kind = evidence, kind
            return
        key = _key(name, address)
        frontend_kind = FrontendKind.NODE_PORT if address.host is None else FrontendKind.EXTERNAL
        if address.host is not None and chain == SERVICES and not self._has_cluster_ip(key):
            # Up to 1.19 load balancer addresses are here too, after the service's ClusterIP.
            frontend_kind = FrontendKind.CLUSTER_IP
        self._add(key, Entry(frontend_kind, address, name, refusal=evidence, refusal_kind=kind))

    def _add(self, key: str, entry: Entry) -> None:
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Entries(key)
        group.entries.append(entry)
        if group.name is None:
            group.name = entry.name
        self._by_address[entry.address] = (group, entry)

    def _has_cluster_ip(self, key: str) -> bool:
        group = self._groups.get(key)
        return group is not None and any(entry.kind is FrontendKind.CLUSTER_IP for entry in group.entries)


def _key(name: ServicePortName | None, address: Address) -> str:
    if name is None:
        return f"{address.host} {address.protocol} {address.port}"
    return chain_hash(name.spelled, address.protocol)


def _kind_by_target(target: str) -> FrontendKind:
    role = role_of(target)
    if role is ChainRole.FIREWALL:
        return FrontendKind.LOAD_BALANCER
    if role in (ChainRole.EXTERNAL, ChainRole.LOCAL_EXTERNAL):
        return FrontendKind.EXTERNAL
    return FrontendKind.CLUSTER_IP


def _addresses(plan: RulePlan, evidence: Evidence, node_port: bool) -> Sequence[Address]:
    """The address, protocol and port that a frontend's rule matches, one for each port that it lists. None for other
    rules and for those that match a range of ports."""
    ports = _positive(plan.destination_port or plan.destination_ports, evidence)
    protocol = _positive(plan.protocol, evidence)
    host = None if node_port else _positive(plan.destination, evidence)
    if ports is None or protocol is None or (host is None and not node_port):
        return ()
    try:
        numbers = (parse_port(ports),) if plan.destination_port else tuple(map(parse_port, ports.split(",")))
    except ValueError:
        return ()  # a range
    protocol, host = usual_name(protocol), None if host is None else without_prefix(host)
    return [Address(host, protocol, number) for number in numbers]


def _positive(operand: Operand | None, evidence: Evidence) -> str | None:
    return None if operand is None or operand.negated else operand.at(evidence)
