"""Which ClusterIP connections are marked for masquerading, Service by Service, and marks that miss their Service.

Facts: pkg/proxy/iptables/proxier.go. Up to 1.21 the mark is in KUBE-SERVICES, before the jump to the Service; from 1.22
on it is first in the Service's own chain (KUBE-SVC or KUBE-SVL); 1.22 and 1.23 keep external addresses' and node ports'
marks there too. The condition comes from --cluster-cidr or --detect-local-mode: `! -s CIDR`, `! -i BRIDGE`, none with
--masquerade-all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

from ipt_explain.analyzers.iptables.plans import Plans, RulePlan
from ipt_explain.analyzers.names import MARK_MASQ, NODE_PORTS, SERVICES, ChainRole, role_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.model import Layout, Rule, Ruleset
from ipt_explain.netfilter.header.protocols import usual_name
from ipt_explain.records import dataclass
from ipt_explain.services.evidence import Evidence, rules_of
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
    mark: Evidence | None
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
    redirects: tuple[tuple[ServicePort, Evidence, str], ...]


class MarkReader:
    """The rules of table nat that lead to KUBE-MARK-MASQ; each chain is read when first asked for."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.plans = Plans()
        self._ruleset = ruleset
        self._candidates: dict[Layout, tuple[int, ...]] = {}
        self._by_address: dict[str, dict[Address | None, list[Evidence]]] = {}

    def by_address(self, name: str) -> Mapping[Address | None, Sequence[Evidence]]:
        """The marks in a chain by the one address that they match, None for none or others."""
        known = self._by_address.get(name)
        if known is None:
            known = self._by_address[name] = defaultdict(list)
            for mark in self._marks(name):
                known[address_of(self.plans[mark.shape], mark.word)].append(mark)
        return known

    def marks(self, name: str | None, address: Address) -> Sequence[Evidence]:
        """The marks for an address in a chain."""
        return () if name is None else self.by_address(name).get(address, ())

    def _marks(self, name: str) -> Iterator[Evidence]:
        chain = self._ruleset.chain("nat", name)
        if chain is not None:
            numbers = self._candidates.get(chain.layout)
            if numbers is None:
                plans = map(self.plans.__getitem__, chain.layout.shapes)
                numbers = tuple(number for number, plan in enumerate(plans) if _may_mark(plan))
                self._candidates[chain.layout] = numbers
            for number in numbers:
                if chain.target_of(number) == MARK_MASQ:
                    yield Evidence(chain, number)


@fact
def mark_reader(context: RulesetContext) -> MarkReader:
    """The rules that lead to KUBE-MARK-MASQ outside of endpoint chains."""
    return MarkReader(context.ruleset)


@fact
def cluster_ip_marks(context: RulesetContext) -> ClusterIpMarks:
    """Which ClusterIP connections are marked for masquerading, service by service."""
    ruleset, reader, services = context.ruleset, mark_reader(context), context.services
    return ClusterIpMarks(
        tuple(_marked(reader, services)),
        tuple(sorted(_strays(reader, services), key=lambda stray: stray.rule.line)),
        tuple(_redirects(ruleset, reader, services)),
    )


def _marked(reader: MarkReader, services: Iterable[ServicePort]) -> Iterator[MarkedService]:
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
                late = mark.line > frontend.evidence.line if beside else _behind_endpoints(mark)
                yield MarkedService(service, frontend, mark, condition(reader.plans[mark.shape], mark.word), late)


def _behind_endpoints(mark: Evidence) -> bool:
    targets = map(mark.chain.target_of, range(mark.number))
    return any(role_of(target or "") is ChainRole.ENDPOINT for target in targets)


def _strays(reader: MarkReader, services: Sequence[ServicePort]) -> Iterator[StrayMark]:
    """Marks for addresses that are not their Service's; in KUBE-SERVICES and KUBE-NODEPORTS, not any Service's."""
    known: dict[str, set[Address | None]] = defaultdict(lambda: {None})
    owners: dict[str, ServicePort] = {}
    for service in services:
        own: set[Address | None] = set()
        for frontend in service.frontends:
            address = (frontend.address, service.protocol, str(frontend.port))
            known[NODE_PORTS if frontend.kind is FrontendKind.NODE_PORT else SERVICES].add(address)
            own.add(address)
        for name in filter(None, (service.chains.service, service.chains.local) if own else ()):
            known[name] |= own
            owners[name] = service
    for name, addresses in known.items():
        marks = reader.by_address(name)
        for odd in marks.keys() - addresses:
            if odd is not None:
                for mark in marks[odd]:
                    yield StrayMark(mark.rule, odd, owners.get(name))


def _redirects(
    ruleset: Ruleset, reader: MarkReader, services: Iterable[ServicePort]
) -> Iterator[tuple[ServicePort, Evidence, str]]:
    for service in services:
        chain = ruleset.chain("nat", service.chains.external) if service.chains.external is not None else None
        for rule in islice(rules_of(chain), _HEAD):
            plan = reader.plans[rule.shape]
            to_service = role_of(rule.target or "") is ChainRole.SERVICE
            if to_service and (plan.source or plan.in_interface) and not plan.other:
                yield service, rule, condition(plan, rule.word)


# The rules for local traffic come first in KUBE-EXT and KUBE-XLB, which may have many endpoint rules after them.
_HEAD = 8


def address_of(plan: RulePlan, word: Callable[[int], str]) -> Address | None:
    """The one address, protocol and port that a rule matches; None if it matches none or others. `word` has the rule's
    words by slot.
    """
    for operand in (plan.protocol, plan.destination_port):
        if operand is None or operand.negated:
            return None
    if plan.destination is not None and plan.destination.negated:
        return None
    host = None if plan.destination is None else without_prefix(word(plan.destination.slot))
    assert plan.protocol is not None and plan.destination_port is not None
    return host, usual_name(word(plan.protocol.slot)), word(plan.destination_port.slot)


def condition(plan: RulePlan, word: Callable[[int], str]) -> str:
    """A rule's condition on where packets come from, without any negation: `-s 10.244.0.0/16`. `word` has the rule's
    words by slot.
    """
    parts = [(plan.source, "-s"), (plan.in_interface, "-i"), (plan.source_type, "--src-type"), (plan.mark, "--mark")]
    return " ".join(f"{name} {word(operand.slot)}" for operand, name in parts if operand is not None)


def _may_mark(plan: RulePlan) -> bool:
    """Whether rules of a shape may lead to KUBE-MARK-MASQ, other than for an endpoint's own connections."""
    return plan.target_slot is not None and not (plan.probability or plan.rcheck or _like_a_hairpin(plan))


def _like_a_hairpin(plan: RulePlan) -> bool:
    """Whether rules of a shape match a source and nothing else, like the mark for an endpoint's own connections."""
    return (
        plan.source is not None
        and not plan.source.negated
        and plan.destination is plan.protocol is plan.in_interface is plan.source_type is plan.destination_type is None
    )
