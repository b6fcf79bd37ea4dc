"""Whether connections from outside to a service port are marked for masquerading on their way, frontend by frontend.

Facts: pkg/proxy/iptables/proxier.go. Under external policy Cluster every connection from outside is marked: from 1.24
on in KUBE-EXT; before in KUBE-FW (load balancers), next to the frontend (external IPs and node ports up to 1.21) or in
KUBE-SVC (1.22, 1.23). Under policy Local only the node's own connections are: in KUBE-EXT, in KUBE-XLB (1.15 to
1.23), and for node ports on 127.0.0.1 in KUBE-NODEPORTS (1.10 to 1.23).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ipt_explain.analyzers.iptables.plans import RulePlan
from ipt_explain.analyzers.names import MARK_MASQ, NODE_PORTS, SERVICES, ChainRole, role_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.marks.cluster_ip_marks import MarkReader, address_at, mark_reader
from ipt_explain.audit.evidence.node.writer import Writer, writer
from ipt_explain.audit.fact import fact
from ipt_explain.enums import Enum
from ipt_explain.model import Chain, Extent, Rule, Ruleset
from ipt_explain.records import Record
from ipt_explain.services.ports import Frontend, FrontendKind, FrontendVerdict, ServicePort


class Unmarked(Enum):
    """Whose connections are not marked."""

    OUTSIDE = "from outside"
    NODE = "of the node itself"
    LOOPBACK = "to 127.0.0.1"


class UnmarkedFrontend(Record):
    """A frontend whose path lacks a mark. `rule` is the rule that the mark should come before, or a mark that comes
    too late."""

    service: ServicePort
    frontend: Frontend
    who: Unmarked
    rule: Rule


_EXTERNAL = (ChainRole.EXTERNAL, ChainRole.LOCAL_EXTERNAL)
_BEHIND = (ChainRole.SERVICE, ChainRole.LOCAL)
# Under policy Local without a local endpoint only connections from outside are dropped, not the node's own.
_LED = (FrontendVerdict.BALANCE, FrontendVerdict.DROP)
_ADDRESSES = {FrontendKind.NODE_PORT: NODE_PORTS}
_LOOPBACK_SINCE = 10
_LOOPBACK = ("127.0.0.0/8", "::1/128", "::1", None)
# The rules that mark and choose a path are the first of their chains.
_HEAD = 16


class ExternalMarkReader:
    """Follows frontends from outside through one nat table; each chain is judged once."""

    def __init__(self, ruleset: Ruleset, marks: MarkReader, writer: Writer) -> None:
        self._ruleset = ruleset
        self._marks = marks
        self._writer = writer
        self._known: dict[str, tuple[Unmarked, Rule] | None] = {}

    def read(self, services: Iterable[ServicePort]) -> Iterator[UnmarkedFrontend]:
        """For each service port, its first frontend of each fault."""
        for service in services:
            reported: set[tuple[Unmarked, str]] = set()
            for frontend in service.frontends:
                if frontend.kind is FrontendKind.CLUSTER_IP or frontend.verdict not in _LED:
                    continue
                fault = self._judge(service, frontend)
                if fault is not None and (fault[0], fault[1].chain) not in reported:
                    reported.add((fault[0], fault[1].chain))
                    yield UnmarkedFrontend(service, frontend, *fault)

    def _judge(self, service: ServicePort, frontend: Frontend) -> tuple[Unmarked, Rule] | None:
        target = frontend.rule.target or ""
        role = role_of(target)
        if role is ChainRole.SERVICE:
            shown = self._ruleset.extent("nat", target) is Extent.WHOLE
            marked = not shown or self._marked_beside(service, frontend, target)
            return None if marked else (Unmarked.OUTSIDE, frontend.rule)
        if role is ChainRole.LOCAL_EXTERNAL and frontend.kind is FrontendKind.NODE_PORT:
            fault = self._loopback(service, frontend)
            if fault is not None:
                return fault
        if role not in (ChainRole.EXTERNAL, ChainRole.LOCAL_EXTERNAL, ChainRole.FIREWALL):
            return None
        if target not in self._known:
            self._known[target] = self._judge_chain(target)
        return self._known[target]

    def _marked_beside(self, service: ServicePort, frontend: Frontend, chain: str) -> bool:
        """Whether a frontend that leads straight to the Service's chain is marked next to its rule, or in that
        chain."""
        address = address_at(service, frontend)
        beside = self._marks.marks(_ADDRESSES.get(frontend.kind, SERVICES), address)
        return any(mark.line < frontend.rule.line for mark in beside) or bool(self._marks.marks(chain, address))

    def _loopback(self, service: ServicePort, frontend: Frontend) -> tuple[Unmarked, Rule] | None:
        address = (None, service.protocol, str(frontend.port))
        marks = self._marks.marks(NODE_PORTS, address)
        early = [mark for mark in marks if mark.line < frontend.rule.line]
        if not self._writer.since(_LOOPBACK_SINCE) or any(mark.rule.core("-s") in _LOOPBACK for mark in early):
            return None
        return Unmarked.LOOPBACK, frontend.rule

    def _judge_chain(self, name: str) -> tuple[Unmarked, Rule] | None:
        chain = self._ruleset.chain("nat", name)
        if chain is None:
            return None
        marked: set[bool] = set()  # of everybody (True), of the node itself (False)
        local = self._is_local(chain)
        for rule in chain.first_rules(_HEAD):
            plan = self._marks.plans[rule.shape]
            target = plan.target_of(rule) or ""
            if target == MARK_MASQ and not plan.other:
                if not plan.singles_out_sources:
                    marked.add(True)
                elif _from_node(plan, rule):
                    marked.add(False)
            elif role_of(target) in _BEHIND:
                aside = local and (rule is chain.rule(len(chain.layout) - 1) or role_of(target) is ChainRole.LOCAL)
                fault = self._at_way(plan, rule, aside or role_of(name) is ChainRole.LOCAL_EXTERNAL, marked)
                if fault is not None:
                    return fault
            elif role_of(name) is ChainRole.FIREWALL and role_of(target) in _EXTERNAL:
                return self._judge_chain(target)
        return None

    def _at_way(self, plan: RulePlan, rule: Rule, local: bool, marked: set[bool]) -> tuple[Unmarked, Rule] | None:
        """Whether connections that a rule sends on to an endpoint lack their mark."""
        if plan.source_type is not None:
            if _from_node(plan, rule) and not marked:
                return Unmarked.NODE, rule
            return None
        pods = role_of(rule.chain) is not ChainRole.FIREWALL and (plan.source or plan.in_interface)
        if pods or local or True in marked:
            return None
        return Unmarked.OUTSIDE, rule

    def _is_local(self, chain: Chain) -> bool:
        """Whether the chain is one of external policy Local: it sends outside clients to local endpoints, or treats the
        node's own connections separately."""
        if role_of(chain.name) is ChainRole.LOCAL_EXTERNAL:
            return True
        for rule in chain.first_rules(_HEAD):
            plan = self._marks.plans[rule.shape]
            if plan.source_type is not None or role_of(plan.target_of(rule) or "") is ChainRole.LOCAL:
                return True
        return False


def _from_node(plan: RulePlan, rule: Rule) -> bool:
    kind = plan.source_type
    return kind is not None and not kind.negated and kind.at(rule) == "LOCAL"


@fact
def external_marks(context: RulesetContext) -> tuple[UnmarkedFrontend, ...]:
    """Frontends for outside clients whose path lacks a mark for masquerading."""
    reader = ExternalMarkReader(context.ruleset, mark_reader(context), writer(context))
    return tuple(reader.read(context.services))
