"""The paths from a service port's addresses to its endpoints, and what is missing on them.

Facts: pkg/proxy/iptables/proxier.go. Every service port with a chain has a rule for its ClusterIP, or a refusal; all
ports of a Service have the same addresses, and node ports or none. KUBE-EXT (1.24 on) ends in an unconditional jump to
KUBE-SVC (external policy Cluster) or KUBE-SVL (Local); under Local there is no such jump if the node has no endpoint,
and the filter table drops. Under Local, earlier rules lead pods and the node itself to KUBE-SVC.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from ipt_explain.analyzers.names import MARK_MASQ, ChainRole, role_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.enums import Enum
from ipt_explain.model import Chain, Rule
from ipt_explain.records import Record
from ipt_explain.services.evidence import Evidence
from ipt_explain.services.ports import Frontend, FrontendKind, FrontendVerdict, ServicePort


class PathFault(Enum):
    """What is wrong with a path."""

    NO_TAIL = "the chain leads outsiders to no endpoint"
    NO_NODE_ROUTE = "the node's own connections are marked, but not led to all endpoints"
    NO_POD_ROUTE = "pods are not led to all endpoints, as other services' are"
    EMPTY = "the chain has no rules, though it should lead pods and the node itself to all endpoints"
    WRONG_TAIL = "the chain masquerades everybody, but leads to local endpoints only"
    NO_CLUSTER_IP = "no rule is for the ClusterIP"
    LOST_POLICY = "the chain treats the node's own connections as under policy Local, but leads outsiders to all"
    ROLE = "the rule leads to a chain that is not for such addresses"
    PORT = "the rule is for another port than the service's"
    BYPASS = "the rule leads past the chain that checks source ranges"


class BrokenPath(Record):
    """A path with a fault. `chain` is where it is; `rule` shows it, if a rule does; `frontends` are those that it
    affects."""

    service: ServicePort
    fault: PathFault
    chain: Chain | None
    rule: Rule | None
    frontends: tuple[Frontend, ...]


class UnequalPorts(Record):
    """A port of a Service that lacks an address (or a node port: None) that most of its other ports have."""

    service: ServicePort
    others: tuple[Frontend, ...]
    lacks: str | None
    kind: FrontendKind


@fact
def broken_paths(context: RulesetContext) -> tuple[BrokenPath, ...]:
    """All paths with a fault; none if a table is missing from the text."""
    return tuple(_Judge(context).judge(context.services)) if _is_whole(context) else ()


@fact
def unequal_ports(context: RulesetContext) -> tuple[UnequalPorts, ...]:
    """Ports that lack an address or node port that all other ports of their Service have; none if a table is missing
    from the text."""
    return tuple(_unequal(context.services)) if _is_whole(context) else ()


def _is_whole(context: RulesetContext) -> bool:
    return context.knows_table("nat") and context.knows_table("filter")


class _Outside(Record):
    """The first rule of each kind in KUBE-EXT or KUBE-XLB."""

    marks_all: Rule | None
    marks_node: Rule | None
    routes_node: Rule | None
    routes_pods: Rule | None
    tail: Rule | None

    @property
    def local(self) -> bool:
        return not (self.marks_node is self.routes_node is self.routes_pods is None)


# The rules that choose a path are the first of their chains.
_HEAD = 8
_BALANCING = (ChainRole.SERVICE, ChainRole.LOCAL)


class _Judge:
    def __init__(self, context: RulesetContext) -> None:
        nat = context.table("nat")
        self._chains: Mapping[str, Chain] = {} if nat is None else nat.chains
        self._plans = context.plans

    def judge(self, services: tuple[ServicePort, ...]) -> Iterator[BrokenPath]:
        outsides: list[tuple[ServicePort, Chain, _Outside]] = []
        for service in services:
            yield from self._fronts(service)
            if service.port is not None:
                yield from self._ports(service)
            external = service.chains.external
            if external is not None and external in self._chains:
                chain = self._chains[external]
                outsides.append((service, chain, self._outside(chain)))
        pods = any(outside.routes_pods is not None for _, _, outside in outsides)
        for service, chain, outside in outsides:
            yield from self._outsiders(service, chain, outside, pods)

    def _fronts(self, service: ServicePort) -> Iterator[BrokenPath]:
        """Faults of the rules that lead to the service's chains."""
        cluster_ip = False
        unmatched = []
        for frontend in service.frontends:
            role = role_of(_target(frontend))
            if frontend.kind is FrontendKind.CLUSTER_IP:
                cluster_ip = True
                if role is not None and role not in _BALANCING:
                    yield BrokenPath(service, PathFault.ROLE, None, frontend.rule, (frontend,))
            elif role is ChainRole.LOCAL or self._astray(service, frontend, role):
                yield BrokenPath(service, PathFault.ROLE, None, frontend.rule, (frontend,))
            elif (
                frontend.kind is FrontendKind.LOAD_BALANCER
                and service.chains.firewall is not None
                and role not in (ChainRole.FIREWALL, None)
            ):
                yield BrokenPath(service, PathFault.BYPASS, None, frontend.rule, (frontend,))
            elif role is ChainRole.FIREWALL and frontend.verdict is FrontendVerdict.UNMATCHED:
                unmatched.append(frontend)
        if not cluster_ip and service.frontends:
            name = service.chains.service or service.chains.local
            if name is not None and name in self._chains:
                yield BrokenPath(service, PathFault.NO_CLUSTER_IP, self._chains[name], None, service.frontends)
        if unmatched and not self._leads_on(unmatched[0]):
            chain = self._chains.get(_target(unmatched[0]))
            yield BrokenPath(service, PathFault.NO_TAIL, chain, None, tuple(unmatched))

    def _ports(self, service: ServicePort) -> Iterator[BrokenPath]:
        """External addresses use the port of the ClusterIP, if only as one of those that their rule lists."""
        others = [each for each in service.frontends if each.port != service.port]
        right = {each.evidence.line for each in service.frontends if each.port == service.port} if others else set()
        for frontend in others:
            if frontend.kind is not FrontendKind.NODE_PORT and frontend.evidence.line not in right:
                yield BrokenPath(service, PathFault.PORT, None, frontend.rule, (frontend,))

    def _astray(self, service: ServicePort, frontend: Frontend, role: ChainRole | None) -> bool:
        """Whether a frontend that is not a ClusterIP bypasses the chain for such, or passes another's checks."""
        if role is ChainRole.FIREWALL:
            return frontend.kind in (FrontendKind.NODE_PORT, FrontendKind.EXTERNAL_IP)
        # Up to 1.19 external IPs led to all endpoints, whatever the policy.
        past = role is ChainRole.SERVICE and service.chains.external is not None
        return past and frontend.kind is FrontendKind.NODE_PORT

    def _leads_on(self, frontend: Frontend) -> bool:
        chain = self._chains.get(_target(frontend))
        rules = chain.rules if chain is not None else ()
        return any(role_of(rule.target or "") is not None for rule in rules)

    def _outsiders(self, service: ServicePort, chain: Chain, outside: _Outside, pods: bool) -> Iterator[BrokenPath]:
        """Faults of KUBE-EXT and KUBE-XLB."""
        is_external = role_of(chain.name) is ChainRole.EXTERNAL
        if is_external and outside.tail is None:
            # Under policy Local this is right if the node has no endpoint; then there is no KUBE-SVL either.
            hurt = tuple(
                frontend
                for frontend in service.frontends
                if frontend.kind is not FrontendKind.CLUSTER_IP and frontend.verdict is FrontendVerdict.UNMATCHED
            )
            if hurt and (not outside.local or service.chains.local is not None):
                yield BrokenPath(service, PathFault.NO_TAIL, chain, None, hurt)
            elif not chain.layout.shapes:
                led = tuple(frontend for frontend in service.frontends if _target(frontend) == chain.name)
                if led:
                    yield BrokenPath(service, PathFault.EMPTY, chain, None, led)
        if outside.marks_node is not None and outside.routes_node is None:
            yield BrokenPath(service, PathFault.NO_NODE_ROUTE, chain, outside.marks_node, ())
        local = outside.local or (not is_external and bool(chain.rules))
        if pods and local and outside.routes_pods is None:
            yield BrokenPath(service, PathFault.NO_POD_ROUTE, chain, None, ())
        tail = outside.tail
        to_local = tail is not None and role_of(tail.target or "") is ChainRole.LOCAL
        if is_external and to_local and outside.marks_all is not None:
            yield BrokenPath(service, PathFault.WRONG_TAIL, chain, tail, ())
        if is_external and tail is not None and not to_local and outside.local:
            yield BrokenPath(service, PathFault.LOST_POLICY, chain, tail, ())

    def _outside(self, chain: Chain) -> _Outside:
        marks_all = marks_node = routes_node = routes_pods = tail = None
        for rule in chain.first_rules(_HEAD):
            plan = self._plans[rule.shape]
            target = plan.target_of(rule) or ""
            onward = role_of(target) in _BALANCING
            if plan.source_type is not None:
                if target == MARK_MASQ:
                    marks_node = marks_node or rule
                elif onward:
                    routes_node = routes_node or rule
            elif plan.source is not None or plan.in_interface is not None:
                if onward:
                    routes_pods = routes_pods or rule
            elif target == MARK_MASQ:
                marks_all = marks_all or rule
            elif plan.unconditional and target:
                tail = tail or rule
        return _Outside(marks_all, marks_node, routes_node, routes_pods, tail)


def _target(frontend: Frontend) -> str:
    """Where the rule for a frontend leads."""
    assert isinstance(frontend.evidence, Evidence)
    return frontend.evidence.target or ""


def _unequal(services: tuple[ServicePort, ...]) -> Iterator[UnequalPorts]:
    by_name: dict[tuple[str | None, str], list[ServicePort]] = defaultdict(list)
    for service in services:
        if service.name is not None:
            by_name[service.namespace, service.name].append(service)
    for ports in by_name.values():
        if len(ports) > 1:
            yield from _compare(ports)


def _compare(ports: list[ServicePort]) -> Iterator[UnequalPorts]:
    had: dict[tuple[FrontendKind, str | None], dict[int, Frontend]] = defaultdict(dict)
    for service in ports:
        for frontend in service.frontends:
            # Refusals do not say whether an address is a load balancer's.
            kind = FrontendKind.EXTERNAL if frontend.kind in _OUTER else frontend.kind
            had[kind, frontend.address].setdefault(id(service), frontend)
    for (kind, address), by_port in had.items():
        lacking = [service for service in ports if id(service) not in by_port]
        if len(lacking) != 1:
            continue
        # Of two ClusterIPs either may be wrong: this is reported once, at the later port.
        clear = len(by_port) > 1 or kind is not FrontendKind.CLUSTER_IP
        if clear or (lacking[0].cluster_ip is not None and lacking[0] is ports[-1]):
            yield UnequalPorts(lacking[0], tuple(by_port.values()), address, kind)


_OUTER = frozenset({FrontendKind.EXTERNAL_IP, FrontendKind.LOAD_BALANCER, FrontendKind.EXTERNAL})
