"""Connections to Services that do not arrive, grouped by the rule or chain that loses them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from ipt_explain.audit.backends import BackendContext, IpvsContext, NftContext
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.losses.lossy import INSIDE, lossy_fates
from ipt_explain.audit.evidence.losses.places import LossPlace, place_of
from ipt_explain.audit.evidence.services.vital import is_vital
from ipt_explain.audit.fact import fact
from ipt_explain.audit.findings.impact import Impact
from ipt_explain.audit.findings.place import Location, at_chain, at_rule, at_table
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.model import Chain, Rule
from ipt_explain.netfilter.assumptions import ARRIVING, SOURCES
from ipt_explain.netfilter.walk.orders import asks_for_order
from ipt_explain.records import Record
from ipt_explain.services.fates import ACCEPTED_FIRST, Decider, Fate, Loss, Lost, Vantage
from ipt_explain.services.health import is_most
from ipt_explain.services.losses import declined_anyway
from ipt_explain.services.ports import Frontend, FrontendKind, ServicePort

ALL = 1 - 1e-6
"""Shares that add up to this count as all."""


class Victim(Record):
    """A frontend that loses some or all connections from one vantage point."""

    service: ServicePort
    frontend: Frontend
    vantage: Vantage
    lost: Lost
    whole: bool

    @property
    def assumed(self) -> tuple[str, ...]:
        """What must hold for it, of what the dump does not decide: `not (-i eth0 and -o eth1)`."""
        return tuple([statement for each in self.lost.when for statement in each.statements])


class Cause(Record):
    """What loses connections: a rule; or, if `rule` is None, a chain by its policy or for lack of a matching rule; if
    `chain` is None too, a chain that the text does not show. Both are None outside iptables.

    `context` is the ruleset that loses them, `served_by` the one with the Services.
    """

    context: BackendContext
    served_by: BackendContext
    decider: Decider
    chain: Chain | None
    rule: Rule | None
    where: LossPlace
    victims: tuple[Victim, ...]

    @property
    def place(self) -> Location:
        """Where a finding about it points."""
        decider = self.decider
        if self.rule is not None:
            return at_rule(self.rule)
        if self.chain is not None:
            return Location(self.chain.name, decider.line or at_chain(self.chain).line)
        if isinstance(self.context, RulesetContext):
            return at_table(decider.table or "nat", None, decider.chain)
        line = decider.line if self.context.has_lines else None
        return Location(decider.chain, line, decider.text if self.is_rule else "", table=decider.table)

    @property
    def is_rule(self) -> bool:
        """Whether one rule loses them, not a chain as a whole."""
        return self.decider.is_rule

    @property
    def is_policy(self) -> bool:
        """Whether a base or built-in chain's policy loses them."""
        if self.is_rule:
            return False
        return self.decider.text == "policy drop" or (self.chain is not None and self.chain.policy == "DROP")

    @property
    def services(self) -> tuple[str, ...]:
        """The service ports that it hits."""
        return tuple(dict.fromkeys(victim.service.label for victim in self.victims))

    @property
    def related(self) -> tuple[int, ...]:
        """The rules of the frontends that it hits."""
        if not self.served_by.has_lines:
            return ()
        return tuple(dict.fromkeys(victim.frontend.evidence.line for victim in self.victims))

    @property
    def impact(self) -> Impact:
        """How many service ports lose connections, each counted by the vantage point that loses most."""
        lost: dict[str, float] = {}
        for (label, *_), share in self.shares.items():
            lost[label] = max(lost.get(label, 0.0), share)
        able = sum(bool(service.endpoints) for service in self.served_by.services)
        return Impact(sum(lost.values()), is_most(len(lost), able))

    @property
    def shares(self) -> Mapping[tuple[str, FrontendKind, str | None, int, Vantage], float]:
        """The share that each frontend loses from each vantage point, wherever it goes instead."""
        lost: dict[tuple[str, FrontendKind, str | None, int, Vantage], float] = {}
        for victim in self.victims:
            front = victim.frontend
            key = victim.service.label, front.kind, front.address, front.port, victim.vantage
            lost[key] = min(lost.get(key, 0.0) + victim.lost.probability, 1.0)
        return lost

    @property
    def severity(self) -> Severity:
        """By effect: an error if a vantage point loses a whole Service, or a part of the API server or DNS."""
        return Severity.ERROR if any(map(_is_grave, self.victims)) else Severity.WARNING


def by_source_alone(cause: Cause) -> bool:
    """Whether it hits connections from some sources or interfaces, whatever else the dump leaves open."""
    return all(victim.lost.depends_only_on((*SOURCES, *ARRIVING)) for victim in cause.victims)


def cuts_off_all(cause: Cause) -> bool:
    """Whether a vantage point loses, or may lose, every Service with endpoints, or every one that a cluster needs."""
    cut_off: dict[Vantage, set[str]] = {}
    for each in cause.victims:
        if each.whole or each.lost.when:
            cut_off.setdefault(each.vantage, set()).add(each.service.label)
    return any(
        services <= cut_off.get(vantage, set())
        for vantage in INSIDE
        for services in _serving(cause.served_by)
        if services
    )


@fact
def _serving(context: BackendContext) -> tuple[frozenset[str], frozenset[str]]:
    """The Services with endpoints: all, and those that a cluster needs."""
    serving = [service for service in context.services if service.endpoints]
    return (
        frozenset([service.label for service in serving]),
        frozenset([service.label for service in serving if is_vital(service)]),
    )


def hits_vital(cause: Cause) -> bool:
    """Whether it hits a Service without which the cluster does not work."""
    return any(is_vital(victim.service) for victim in cause.victims)


def by_order_alone(cause: Cause) -> bool:
    """Whether it hits them if one backend is asked before another, whatever else the dump leaves open."""
    return all(asks_for_order(statement) for victim in cause.victims for statement in victim.assumed)


def causes(context: BackendContext, where: LossPlace) -> list[Cause]:
    """What certainly loses connections to this ruleset's Services there, on the paths that every release serves."""
    return [cause for cause in _certain(context) if cause.where is where]


def possible_causes(context: BackendContext, where: LossPlace) -> list[Cause]:
    """What may lose them there, depending on what the dump leaves open, but loses none for certain."""
    reported = {cause.decider for cause in causes(context, where)}
    return [cause for cause in _possible(context) if cause.where is where and cause.decider not in reported]


@fact
def _certain(context: BackendContext) -> tuple[Cause, ...]:
    return tuple(_gathered(context, _victims(context, lambda fate: fate.lost)))


@fact
def _possible(context: BackendContext) -> tuple[Cause, ...]:
    return tuple(_gathered(context, _victims(context, lambda fate: fate.perhaps)))


@fact
def unknown_causes(context: BackendContext) -> tuple[Cause, ...]:
    """What does to them something that is unknown."""
    return tuple(_gathered(context, _victims(context, lambda fate: (*fate.lost, *fate.perhaps), unknown=True)))


def _victims(
    context: BackendContext, losses: Callable[[Fate], Sequence[Lost]], unknown: bool = False
) -> Iterator[Victim]:
    if isinstance(context, NftContext) and context.proxy is not None and context.proxy.dormant:
        return  # IPT901 says why
    away = _unbound(context) if isinstance(context, IpvsContext) else ()
    for service, frontend, vantage, fate in lossy_fates(context):
        if frontend.address in away:
            continue  # IPT913 says why
        for lost in losses(fate):
            if declined_anyway(frontend, vantage, lost):
                continue
            if (lost.how is Loss.UNKNOWN) is unknown and lost.how is not Loss.INTERCEPTED:
                yield Victim(service, frontend, vantage, lost, fate.served == 0.0 or lost.probability >= ALL)


def _unbound(context: IpvsContext) -> Collection[str | None]:
    """The addresses that the node forwards packets to, since kube-proxy's interface lacks them."""
    from ipt_explain.analyzers.ipvs.node import unbound

    return {front.address for front in unbound(context.ipvs, context.known.addresses)}


def _is_grave(victim: Victim) -> bool:
    if victim.lost.when or victim.lost.why == ACCEPTED_FIRST:  # kube-proxy would have refused it
        return False
    if victim.vantage is Vantage.NODE and victim.frontend.kind is not FrontendKind.CLUSTER_IP:
        return False  # the node itself uses ClusterIPs; few programs on it ask its own node ports
    return victim.whole or is_vital(victim.service)


def _gathered(context: BackendContext, victims: Iterable[Victim]) -> Iterator[Cause]:
    by_decider: dict[Decider, list[Victim]] = {}
    for victim in victims:
        by_decider.setdefault(victim.lost.decider, []).append(victim)
    for decider, hit in by_decider.items():
        judged = context.node.contexts[decider.ruleset]
        chain = rule = None
        if isinstance(judged, RulesetContext) and decider.chain is not None:
            chain = judged.chain(decider.table or "", decider.chain)
            rule = chain.rule_on(decider.line) if chain is not None and decider.is_rule and decider.line else None
        where = place_of([victim.lost for victim in hit], context, judged, chain, rule)
        yield Cause(judged, context, decider, chain, rule, where, tuple(hit))
