"""What filter does to connections between pods, for dumps that show no Service with endpoints."""

from __future__ import annotations

from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.losses.lossy import filter_may_stop
from ipt_explain.netfilter.header import protocol_number
from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.journey import Journey
from ipt_explain.netfilter.walk.path import Step
from ipt_explain.netfilter.whereabouts import Whereabouts
from ipt_explain.services.fates import Vantage

_FORWARD = "KUBE-FORWARD"


def pods_stop_at(context: RulesetContext) -> Step | None:
    """The last step of every new TCP connection between pods, if a rule or policy of filter that is not kube-proxy's
    stops all of them; None if some pass, or if the dump shows nat, whose Services tell more."""
    if not filter_may_stop(context) or context.table("nat") is not None:
        return None
    if context.chain("filter", _FORWARD) is None:  # not a node that kube-proxy's rules are on
        return None
    node, surroundings = context.around
    other = Whereabouts("another pod's address", context.ruleset.family, ordinary=True)
    journey = Journey(node, [Heading(other, None)])
    journey.begin(surroundings.departure(Vantage.POD, protocol_number("tcp") or 0))
    stops: dict[tuple[str, int | None], Step] = {}
    for finish, packets in journey.ends():
        path = packets.path(0)
        step = None if path is None else path.last()
        if finish.verdict not in (Verdict.DROP, Verdict.REJECT) or not isinstance(step, Step) or step.table != "filter":
            return None
        stops[step.chain.name, step.line] = step
    (stop, *others) = stops.values() if stops else (None,)
    return None if others or stop is None or stop.chain.name.startswith("KUBE-") else stop
