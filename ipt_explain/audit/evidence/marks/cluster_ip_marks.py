"""Which ClusterIP connections are marked for masquerading, Service by Service, and marks that miss their Service.

Facts: pkg/proxy/iptables/proxier.go. Up to 1.21 the mark is in KUBE-SERVICES, before the jump to the Service; from 1.22
on it is first in the Service's own chain (KUBE-SVC or KUBE-SVL); 1.22 and 1.23 keep external addresses' and node ports'
marks there too. The condition comes from --cluster-cidr or --detect-local-mode: `! -s CIDR`, `! -i BRIDGE`, none with
--masquerade-all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from ipt_explain.analyzers.iptables.plans import Plans, RulePlan
from ipt_explain.analyzers.names import MARK_MASQ, NODE_PORTS, SERVICES, ChainRole, role_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.model import Rule, Ruleset, Shape
from ipt_explain.model.by_shape import RulesOfShape
from ipt_explain.netfilter.header.protocols import usual_name
from ipt_explain.records import dataclass
from ipt_explain.services.ports import Frontend, FrontendKind, FrontendVerdict, ServicePort
from ipt_explain.words.addresses import without_prefix

Address: TypeAlias = tuple[str | None, str, str]  # host (None: any), protocol, port


@dataclass(frozen=True, slots=True)
class MarkedService:
    """A service port that balances ClusterIP connections. `mark` marks them for masquerading, under `condition` (""
    for all).

    `late`: it comes after the rules that choose an endpoint, or after the jump to the Service.
    """

    service: ServicePort
    frontend: Frontend
    mark: Rule | None
    condition: str
    late: bool


@dataclass(frozen=True, slots=True)
class StrayMark:
    """A mark for an address that does not lead to it. `service` is the Service whose chain it is in, if any."""

    rule: Rule
    address: Address
    service: ServicePort | None


@dataclass(frozen=True, slots=True)
class ClusterIpMarks:
    """All services with their marks; `redirects` are the rules for local traffic in KUBE-EXT and KUBE-XLB, with their
    condition.
    """

    services: tuple[MarkedService, ...]
    strays: tuple[StrayMark, ...]
    redirects: tuple[tuple[ServicePort, Rule, str], ...]


class MarkReader:
    """The rules that lead to KUBE-MARK-MASQ outside of endpoint chains, by chain and address."""

    def __init__(self, shapes: Mapping[Shape, RulesOfShape]) -> None:
        self.plans = Plans()
        self.by_chain: dict[str, list[Rule]] = defaultdict(list)
        self.by_address: dict[tuple[str, Address], list[Rule]] = defaultdict(list)
        for shape, rules in shapes.items():
            plan = self.plans[shape]
            if plan.target_slot is None or plan.probability or plan.rcheck or _like_a_hairpin(plan):
                continue
            for rule in rules.having(plan.target_slot, MARK_MASQ.__eq__):
                self._take(rule, plan)

    def _take(self, rule: Rule, plan: RulePlan) -> None:
        self.by_chain[rule.chain].append(rule)
        address = address_of(plan, rule)
        if address is not None:
            self.by_address[rule.chain, address].append(rule)

    def marks(self, chain: str | None, address: Address) -> list[Rule]:
        """The marks for an address in a chain."""
        return [] if chain is None else self.by_address.get((chain, address), [])


@fact
def mark_reader(context: RulesetContext) -> MarkReader:
    """The rules that lead to KUBE-MARK-MASQ outside of endpoint chains."""
    return MarkReader(context.by_shape.get("nat", {}))


@fact
def cluster_ip_marks(context: RulesetContext) -> ClusterIpMarks:
    """Which ClusterIP connections are marked for masquerading, service by service."""
    ruleset, reader, services = context.ruleset, mark_reader(context), context.services
    return ClusterIpMarks(
        tuple(_marked(ruleset, reader, services)),
        tuple(_strays(reader, services)),
        tuple(_redirects(ruleset, reader, services)),
    )


def _marked(ruleset: Ruleset, reader: MarkReader, services: Iterable[ServicePort]) -> Iterator[MarkedService]:
    for service in services:
        for frontend in service.frontends:
            if frontend.kind is not FrontendKind.CLUSTER_IP or frontend.verdict is not FrontendVerdict.BALANCE:
                continue
            address = (frontend.address, service.protocol, str(frontend.port))
            beside, inside = reader.marks(SERVICES, address), reader.marks(frontend.balancer, address)
            mark = next(iter((*beside, *inside)), None)
            if mark is None:
                yield MarkedService(service, frontend, None, "", False)
            else:
                late = mark.line > frontend.rule.line if beside else _behind_endpoints(ruleset, mark)
                yield MarkedService(service, frontend, mark, condition(reader.plans[mark.shape], mark), late)


def _behind_endpoints(ruleset: Ruleset, mark: Rule) -> bool:
    chain = ruleset.chain("nat", mark.chain)
    if chain is None:
        return False
    for number in range(len(chain.layout)):
        if chain.line_of(number) == mark.line:
            return False
        if role_of(chain.target_of(number) or "") is ChainRole.ENDPOINT:
            return True
    return False


def _strays(reader: MarkReader, services: Sequence[ServicePort]) -> Iterator[StrayMark]:
    """Marks for addresses that are not their Service's; in KUBE-SERVICES and KUBE-NODEPORTS, not any Service's."""
    known: dict[str, set[Address]] = defaultdict(set)
    owners: dict[str, ServicePort] = {}
    for service in services:
        for frontend in service.frontends:
            address = (frontend.address, service.protocol, str(frontend.port))
            known[NODE_PORTS if frontend.kind is FrontendKind.NODE_PORT else SERVICES].add(address)
            for name in (service.chains.service, service.chains.local):
                if name is not None:
                    known[name].add(address)
                    owners[name] = service
    for (chain, address), rules in reader.by_address.items():
        if chain in known and address not in known[chain]:
            for rule in rules:
                yield StrayMark(rule, address, owners.get(chain))


def _redirects(
    ruleset: Ruleset, reader: MarkReader, services: Iterable[ServicePort]
) -> Iterator[tuple[ServicePort, Rule, str]]:
    for service in services:
        chain = ruleset.chain("nat", service.chains.external) if service.chains.external is not None else None
        for rule in chain.rules[:_HEAD] if chain is not None else ():
            plan = reader.plans[rule.shape]
            to_service = role_of(rule.target or "") is ChainRole.SERVICE
            if to_service and (plan.source or plan.in_interface) and not plan.other:
                yield service, rule, condition(plan, rule)


# The rules for local traffic come first in KUBE-EXT and KUBE-XLB, which may have many endpoint rules after them.
_HEAD = 8


def address_of(plan: RulePlan, rule: Rule) -> Address | None:
    """The one address, protocol and port that a rule matches; None if it matches none or others."""
    for operand in (plan.protocol, plan.destination_port):
        if operand is None or operand.negated:
            return None
    if plan.destination is not None and plan.destination.negated:
        return None
    host = None if plan.destination is None else without_prefix(plan.destination.of(rule))
    assert plan.protocol is not None and plan.destination_port is not None
    return host, usual_name(plan.protocol.of(rule)), plan.destination_port.of(rule)


def condition(plan: RulePlan, rule: Rule) -> str:
    """A rule's condition on where packets come from, without any negation: `-s 10.244.0.0/16`."""
    parts = [(plan.source, "-s"), (plan.in_interface, "-i"), (plan.source_type, "--src-type"), (plan.mark, "--mark")]
    return " ".join(f"{name} {operand.of(rule)}" for operand, name in parts if operand is not None)


def _like_a_hairpin(plan: RulePlan) -> bool:
    """Whether rules of a shape match a source and nothing else, like the mark for an endpoint's own connections."""
    return (
        plan.source is not None
        and not plan.source.negated
        and plan.destination is plan.protocol is plan.in_interface is plan.source_type is plan.destination_type is None
    )
