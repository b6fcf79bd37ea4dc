"""Whether connections to Services are masqueraded, by source: what all rules of POSTROUTING do, whoever wrote them."""

from __future__ import annotations

from ipt_explain.audit.context import RulesetContext
from ipt_explain.netfilter.header import TCP, network_bits, parse_address, protocol_number
from ipt_explain.netfilter.packet import Heading, Tracking
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.journey import Journey
from ipt_explain.netfilter.whereabouts import Whereabouts, network_contains
from ipt_explain.records import replace
from ipt_explain.services.fates import Vantage
from ipt_explain.services.ports import Frontend, ServicePort


def pods_are_masqueraded(context: RulesetContext) -> bool:
    """Whether connections from outside to at least some pods leave masqueraded without any mark: network plugins leave
    out this node's pods, whose replies pass this node anyway."""
    node, surroundings = context.around
    journey = Journey(node, [Heading(surroundings.pod, None)])
    start = surroundings.departure(Vantage.OUTSIDE, TCP)
    journey.forward(start._replace(tracking=Tracking.NEW, destination_decided=True, dnat=True))
    return any(finish.verdict is Verdict.ACCEPT and finish.state.source_decided for finish, _ in journey.ends())


def alike(
    context: RulesetContext, one: tuple[ServicePort, Frontend], other: tuple[ServicePort, Frontend], *conditions: str
) -> bool:
    """Whether two ClusterIPs' connections are masqueraded alike although the Services' marks have different conditions
    (`-s NETWORK`), for sources in only one of the networks. False if uncertain."""
    try:
        first, second = (network_bits(condition.removeprefix("-s ")) for condition in conditions)
    except ValueError:
        return False
    for within, outside in ((first, second), (second, first)):
        if network_contains(outside, within):
            continue
        source = Whereabouts("the source", context.ruleset.family, within=(within,), outside=(outside,), ordinary=True)
        answers = [_masqueraded(context, *each, source) for each in (one, other)]
        if None in answers or answers[0] is not answers[1]:
            return False
    return True


def _masqueraded(context: RulesetContext, service: ServicePort, frontend: Frontend, source: Whereabouts) -> bool | None:
    """Whether connections from a source leave masqueraded; None if only some do, or if it is uncertain."""
    if frontend.address is None:
        return None
    node, surroundings = context.around
    start = surroundings.departure(Vantage.OUTSIDE, protocol_number(service.protocol) or 0)
    journey = Journey(node, [Heading(parse_address(frontend.address), frontend.port)])
    journey.begin(start._replace(source=source, connection=replace(start.connection, source=source)))
    ends = [finish for finish, _ in journey.ends() if finish.verdict is Verdict.ACCEPT]
    decided = {finish.state.source_decided for finish in ends}
    return decided.pop() if len(decided) == 1 and not any(finish.state.answers for finish in ends) else None
