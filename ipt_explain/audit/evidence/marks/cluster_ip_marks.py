"""Which ClusterIP connections are marked for masquerading, Service by Service, and marks that miss their Service.

Facts: pkg/proxy/iptables/proxier.go. Up to 1.21 the mark is in KUBE-SERVICES, before the jump to the Service; from 1.22
on it is first in the Service's own chain (KUBE-SVC or KUBE-SVL); 1.22 and 1.23 keep external addresses' and node ports'
marks there too. The condition comes from --cluster-cidr or --detect-local-mode: `! -s CIDR`, `! -i BRIDGE`, none with
--masquerade-all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import repeat
from typing import TypeAlias

from ipt_explain.analyzers.iptables.plans import RulePlan
from ipt_explain.analyzers.names import MARK_MASQ, NODE_PORTS, SERVICES, ChainRole, role_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.columns import Columns
from ipt_explain.model import Rule, Ruleset
from ipt_explain.netfilter.header import usual_name
from ipt_explain.records import Record
from ipt_explain.services.evidence import Evidence
from ipt_explain.services.ports import Frontend, FrontendKind, FrontendVerdict, ServicePort
from ipt_explain.words import without_prefix

Address: TypeAlias = tuple[str | None, str, str]  # host (None: any), protocol, port


class MarkJump(Evidence):
    """A rule that sends packets to KUBE-MARK-MASQ, or past it. `condition` is where they come from, without negation:
    `-s 10.244.0.0/16`, "" for all."""

    condition: str

    @property
    def behind_endpoints(self) -> bool:
        """Whether it comes after rules that choose an endpoint."""
        before = range(self.number)
        return bool(before) and any(role_of(self.chain.target_of(each) or "") is ChainRole.ENDPOINT for each in before)


class MarkedService(Record):
    """A service port that balances ClusterIP connections, and what marks these for masquerading.

    `late`: the mark comes after the rules that choose an endpoint, or after the jump to the Service.
    """

    service: ServicePort
    frontend: Frontend
    mark: MarkJump | None
    late: bool


class StrayMark(Record):
    """A mark for an address that does not lead to it. `service` is the Service whose chain it is in, if any."""

    rule: Rule
    address: Address
    service: ServicePort | None


class ClusterIpMarks(Record):
    """All services with their marks; `redirects` are the rules for local traffic in KUBE-EXT and KUBE-XLB."""

    services: Columns[MarkedService]
    strays: tuple[StrayMark, ...]
    redirects: tuple[tuple[ServicePort, MarkJump], ...]


class MarkReader:
    """The rules that lead to KUBE-MARK-MASQ outside of endpoint chains, by chain and the one address that they match
    (None for none or others). `count` are those for one address."""

    def __init__(self, context: RulesetContext) -> None:
        self.plans = context.plans
        self.by_address: dict[tuple[str, Address | None], list[MarkJump]] = defaultdict(list)
        self.count = 0
        for shape, rules in context.by_shape.get("nat", {}).items():
            plan = self.plans[shape]
            if plan.target_slot is None or plan.probability or plan.rcheck or _like_a_hairpin(plan):
                continue
            if MARK_MASQ in rules.distinct(plan.target_slot):
                targets, said = rules.column(plan.target_slot), _conditions(plan, rules.column)
                for target, (chain, number), address, condition in zip(
                    targets, rules.places(), _addresses(plan, rules.column), said
                ):
                    if target == MARK_MASQ:
                        self.by_address[chain.name, address].append(MarkJump(chain, number, condition))
                        self.count += address is not None

    def marks(self, chain: str | None, address: Address) -> Sequence[MarkJump]:
        """The marks for an address in a chain."""
        return () if chain is None else self.by_address.get((chain, address), ())


@fact
def mark_reader(context: RulesetContext) -> MarkReader:
    """The rules that lead to KUBE-MARK-MASQ outside of endpoint chains."""
    return MarkReader(context)


@fact
def cluster_ip_marks(context: RulesetContext) -> ClusterIpMarks:
    """Which ClusterIP connections are marked for masquerading, service by service."""
    ruleset, reader, services = context.ruleset, mark_reader(context), context.services
    marked = _marked(reader, context.frontends)
    # Usually each mark is one Service's, so there is no need to look for those that are nobody's.
    all_used = len(set(map(id, filter(None, marked.column("mark"))))) == reader.count
    return ClusterIpMarks(
        marked, () if all_used else tuple(_strays(reader, services)), tuple(_redirects(ruleset, reader, services))
    )


def lacks_marks(context: RulesetContext) -> bool:
    """Whether some service has no mark or a late one, or some mark is for no service."""
    marks = cluster_ip_marks(context)
    return bool(marks.strays) or None in marks.services.column("mark") or any(marks.services.column("late"))


def differing_conditions(context: RulesetContext) -> Collection[str]:
    """The conditions of all marks and redirects, if they differ."""
    marks = cluster_ip_marks(context)
    said = (*marks.services.column("mark"), *(redirect for _, redirect in marks.redirects))
    conditions = {mark.condition for mark in said if mark is not None}
    return conditions if len(conditions) > 1 else ()


def _marked(reader: MarkReader, frontends: Iterable[tuple[ServicePort, Frontend]]) -> Columns[MarkedService]:
    found = [
        (service, frontend)
        for service, frontend in frontends
        if frontend.kind is FrontendKind.CLUSTER_IP and frontend.verdict is FrontendVerdict.BALANCE
    ]
    marks: list[MarkJump | None] = []
    late: list[bool] = []
    for service, frontend in found:
        address = address_at(service, frontend)
        beside = reader.marks(SERVICES, address)
        mark = next(iter(beside or reader.marks(frontend.balancer, address)), None)
        marks.append(mark)
        late.append(mark is not None and (mark.line > frontend.evidence.line if beside else mark.behind_endpoints))
    owners, owned = zip(*found) if found else ((), ())
    return Columns(MarkedService, {"service": owners, "frontend": owned, "mark": marks, "late": late})


def _strays(reader: MarkReader, services: Sequence[ServicePort]) -> Iterator[StrayMark]:
    """Marks for addresses that are not their Service's; in KUBE-SERVICES and KUBE-NODEPORTS, not any Service's."""
    known: set[tuple[str | None, Address]] = set()
    owners: dict[str | None, ServicePort | None] = {}
    for service in services:
        chains = service.chains.service, service.chains.local
        for frontend in service.frontends:
            address = address_at(service, frontend)
            fronts = NODE_PORTS if frontend.kind is FrontendKind.NODE_PORT else SERVICES
            known.update(zip((fronts, *chains), repeat(address)))
            owners[fronts] = None
            owners.update(zip(chains, repeat(service)))
    for (chain, marked), marks in reader.by_address.items():
        if marked is not None and (chain, marked) not in known and chain in owners:
            for mark in marks:
                yield StrayMark(mark.rule, marked, owners[chain])


def address_at(service: ServicePort, frontend: Frontend) -> Address:
    """The address, protocol and port of a frontend."""
    return frontend.address, service.protocol, str(frontend.port)


def _redirects(
    ruleset: Ruleset, reader: MarkReader, services: Iterable[ServicePort]
) -> Iterator[tuple[ServicePort, MarkJump]]:
    for service in services:
        chain = ruleset.chain("nat", service.chains.external) if service.chains.external is not None else None
        for number, rule in enumerate(() if chain is None else chain.first_rules(_HEAD)):
            plan = reader.plans[rule.shape]
            to_service = role_of(rule.target or "") is ChainRole.SERVICE
            if chain is not None and to_service and (plan.source or plan.in_interface) and not plan.other:
                yield service, MarkJump(chain, number, condition(plan, rule))


# The rules for local traffic come first in KUBE-EXT and KUBE-XLB, which may have many endpoint rules after them.
_HEAD = 8


def address_of(plan: RulePlan, rule: Rule) -> Address | None:
    """The one address, protocol and port that a rule matches; None if it matches none or others."""
    return next(iter(_addresses(plan, lambda slot: (rule.word(slot),))))


def condition(plan: RulePlan, rule: Rule) -> str:
    """A rule's condition on where packets come from, without any negation: `-s 10.244.0.0/16`."""
    return next(iter(_conditions(plan, lambda slot: (rule.word(slot),))))


def _addresses(plan: RulePlan, column: Callable[[int], Sequence[str]]) -> Iterable[Address | None]:
    """The one address, protocol and port that each rule of a shape matches; None if it matches none or others. `column`
    has the rules' words in a slot."""
    host, protocol, port = plan.destination, plan.protocol, plan.destination_port
    if protocol is None or port is None or protocol.negated or port.negated or (host is not None and host.negated):
        return repeat(None)
    hosts: Iterable[str | None] = repeat(None) if host is None else map(without_prefix, column(host.slot))
    return zip(hosts, map(usual_name, column(protocol.slot)), column(port.slot))


def _conditions(plan: RulePlan, column: Callable[[int], Sequence[str]]) -> Iterable[str]:
    """Each rule's condition on where packets come from. `column` has the rules' words in a slot."""
    parts = [(plan.source, "-s"), (plan.in_interface, "-i"), (plan.source_type, "--src-type"), (plan.mark, "--mark")]
    said = [[f"{name} {word}" for word in column(operand.slot)] for operand, name in parts if operand is not None]
    return map(" ".join, zip(*said)) if said else repeat("")


def _like_a_hairpin(plan: RulePlan) -> bool:
    """Whether rules of a shape match only a source, like the mark for an endpoint's own connections."""
    return (
        plan.source is not None
        and not plan.source.negated
        and plan.destination is plan.protocol is plan.in_interface is plan.source_type is plan.destination_type is None
    )
