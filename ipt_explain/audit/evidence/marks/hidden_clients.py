"""Rules that masquerade connections whose clients' addresses kube-proxy keeps: pods' to ClusterIPs, and those from
outside under external policy Local."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ipt_explain.analyzers.names import MARK_MASQ, POSTROUTING, ChainRole, role_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.marks.cluster_ip_marks import cluster_ip_marks
from ipt_explain.audit.evidence.marks.marking import masquerade_marking
from ipt_explain.audit.evidence.services.journeys import Front, followed
from ipt_explain.audit.fact import fact
from ipt_explain.model import Rule
from ipt_explain.netfilter.header import network_bits
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.nat import destination_text
from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.ends import Finish
from ipt_explain.netfilter.walk.packets import Packets
from ipt_explain.netfilter.walk.path import AnyStep, Step
from ipt_explain.records import Record
from ipt_explain.services.fates import Fate, Vantage
from ipt_explain.services.ports import Frontend, FrontendKind, ServicePort, TrafficPolicy
from ipt_explain.words import both, counted, within

_REWRITING = frozenset({"MASQUERADE", "SNAT", "NETMAP"})
_NAMED = 3


class HidingRule(Record):
    """A rule that masquerades such connections or marks them for masquerading. Clients from `vantages` lose their
    addresses at `endpoints` of `services`; `endpoints` is None if it is all of them."""

    rule: Rule
    services: tuple[ServicePort, ...]
    vantages: tuple[Vantage, ...]
    endpoints: tuple[str, ...] | None

    @property
    def labels(self) -> tuple[str, ...]:
        """The service ports, each once."""
        return tuple(dict.fromkeys(service.label for service in self.services))

    @property
    def words(self) -> str:
        """What it does, and to whom: `this rule masquerades connections from pods to shop/web: its pods see …`."""
        origins = both([f"from {vantage.origin}" for vantage in self.vantages])
        masks = self.rule.target in _REWRITING
        does, then = ("masquerades", "") if masks else ("marks", " for masquerading")
        whom = within(self.labels, _NAMED)
        if len(self.labels) > _NAMED:
            whom = f"{counted(len(self.labels), 'Service port')} ({whom})"
        if self.endpoints is not None:
            whom = f"{within(self.endpoints, _NAMED, 'endpoint')} of {whom}"
        return (
            f"this rule {does} connections {origins} to {whom}{then}: the pods there see an address of this node "
            "instead of the client's, and NetworkPolicies that select clients do not match"
        )


class _Met(Record, frozen=False, eq=False):
    """What a rule does, as far as the walks so far show."""

    rule: Rule
    services: dict[int, ServicePort]
    vantages: dict[Vantage, None]
    endpoints: dict[str, None]
    whole: bool = True


@fact
def hidden_clients(context: RulesetContext) -> tuple[HidingRule, ...]:
    """All such rules, in the order of the text, without the network plugin's rules for connections that leave the pod
    network."""
    found: dict[int, _Met] = {}
    order = {id(service): number for number, service in enumerate(context.services)}
    for vantage, frontends in ((Vantage.POD, _of_pods(context)), (Vantage.OUTSIDE, _of_outsiders(context))):
        for crowd, ends in followed(context, vantage, frontends):
            for number, rule, endpoint, whole in _hiding(context, vantage, ends):
                service = crowd[number][0]
                met = found.setdefault(rule.line, _Met(rule, {}, {}, {}))
                met.services[order[id(service)]] = service
                met.vantages[vantage] = None
                met.endpoints[endpoint] = None
                met.whole = met.whole and whole
    return tuple(
        HidingRule(
            met.rule,
            tuple(service for _, service in sorted(met.services.items())),
            tuple(met.vantages),
            None if met.whole else tuple(met.endpoints),
        )
        for _, met in sorted(found.items())
    )


def _of_pods(context: RulesetContext) -> Iterator[Front]:
    """The ClusterIPs at which pods are masqueraded. Left out are those whose own mark by kube-proxy has no condition
    (--masquerade-all), excepts a network that the pods are not in, or asks for the interface, which no dump shows."""
    meant: dict[str | None, bool] = {}
    for marked in cluster_ip_marks(context).services:
        fate = marked.frontend.fates.pod if marked.frontend.fates is not None else None
        if fate is None or not _may_hide(fate):
            continue
        condition = None if marked.mark is None else marked.mark.condition
        if condition not in meant:
            meant[condition] = condition is not None and _takes_pods(context, condition)
        if not meant[condition] and (fate.masqueraded or condition is None or condition.startswith("-s ")):
            yield marked.service, marked.frontend


def _takes_pods(context: RulesetContext, condition: str) -> bool:
    """Whether kube-proxy's own mark, with this condition, matches pods' connections."""
    _, around = context.around
    try:
        return not condition or around.pod.lies_in(*network_bits(condition.removeprefix("-s "))) is Truth.NO
    except ValueError:
        return False


def _of_outsiders(context: RulesetContext) -> Iterator[Front]:
    """The external addresses and node ports under policy Local at which clients from outside are masqueraded."""
    for service in context.services:
        if service.external_policy is TrafficPolicy.LOCAL:
            for frontend in service.frontends:
                fates = frontend.fates if _keeps_clients(frontend) else None
                if fates is not None and _may_hide(fates.outside):
                    yield service, frontend


def _keeps_clients(frontend: Frontend) -> bool:
    """Whether kube-proxy keeps the addresses of clients from outside under policy Local. Up to 1.19 it led external IPs
    straight to the Service and masqueraded all."""
    straight = frontend.kind is FrontendKind.EXTERNAL_IP and role_of(frontend.rule.target or "") is ChainRole.SERVICE
    return frontend.kind is not FrontendKind.CLUSTER_IP and not straight


def _may_hide(fate: Fate) -> bool:
    return fate.masqueraded is not False and fate.served != 0


def _hiding(
    context: RulesetContext, vantage: Vantage, ends: Iterable[tuple[Finish, Packets]]
) -> Iterator[tuple[int, Rule, str, bool]]:
    """The frontends, by number, at which clients are certainly masqueraded, each with the rule, the endpoint, and
    whether it happens at all endpoints in the pod network."""
    _, around = context.around
    masked: dict[tuple[int, Heading], tuple[Packets, int]] = {}
    kept: set[tuple[int, Heading]] = set()
    for finish, packets in ends:
        if finish.verdict is Verdict.ACCEPT and finish.state.dnat:
            for row, way in enumerate(zip(packets.who, packets.to)):
                if not finish.state.source_decided:
                    kept.add(way)
                elif way[1] not in around.host_endpoints:
                    masked.setdefault(way, (packets, row))
    partly = {packet for packet, heading in kept if heading not in around.host_endpoints}
    for (packet, heading), (packets, row) in masked.items():
        if (packet, heading) not in kept:
            path = packets.path(row)
            rule = None if path is None else _hiding_rule(context, path.steps())
            if rule is not None and not (vantage is Vantage.POD and _for_others(context, rule)):
                yield packet, rule, destination_text(heading, context.family), packet not in partly


def _hiding_rule(context: RulesetContext, steps: Sequence[AnyStep]) -> Rule | None:
    """The rule that masquerades packets; if KUBE-POSTROUTING does it because of their mark, the rule that marks
    them."""
    of_nat = [step for step in steps if isinstance(step, Step) and step.table == "nat"]
    leaving = [step for step in of_nat if step.before.hook is Hook.POSTROUTING]
    last = next((step for step in reversed(leaving) if step.rule is not None and step.rule.target in _REWRITING), None)
    marking = masquerade_marking(context)
    bits = 0 if marking is None else marking.result
    if last is None or last.chain.name != POSTROUTING or not bits:
        return None if last is None else last.rule
    entered = next(step for step in leaving if step.chain.name == POSTROUTING)
    return _marking_rule(steps, bits) if entered.before.mark & bits else last.rule


def _marking_rule(steps: Iterable[AnyStep], bits: int) -> Rule | None:
    """The first rule that marks a packet with these bits, or jumps to KUBE-MARK-MASQ, which does."""
    jump: Rule | None = None
    for step in steps:
        if not isinstance(step, Step):
            continue
        if step.into is not None and step.into.name == MARK_MASQ:
            jump = step.rule
        elif step.into is None and step.after is not None and step.after.mark & bits and not step.before.mark & bits:
            return jump if step.chain.name == MARK_MASQ else step.rule
    return None


def _for_others(context: RulesetContext, rule: Rule) -> bool:
    """Whether a rule, like kube-proxy's marks, is for clients outside a network or behind an interface: then the
    network is wrong, not the rule."""
    plan = context.plans[rule.shape]
    return any(each is not None and each.negated for each in (plan.source, plan.in_interface, plan.mark))
