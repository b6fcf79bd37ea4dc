"""What filter does to connections to the API server, if it runs on this node."""

from __future__ import annotations

from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.around import around
from ipt_explain.netfilter.header.protocols import protocol_number
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.journey import Journey
from ipt_explain.netfilter.walk.path import Step
from ipt_explain.records import dataclass, replace
from ipt_explain.services.fates import Vantage

_STOPPING = frozenset({"DROP", "REJECT"})
_API_SERVER = ("default", "kubernetes")


@dataclass(frozen=True, slots=True)
class Stop:
    """Where every connection from a pod to an address of the API server ends."""

    step: Step
    dropped: bool
    address: str


def api_server_stop(context: RulesetContext) -> Stop | None:
    """Where new connections from pods to the API server end, if they do and its endpoint is the node itself."""
    if not _may_stop(context):
        return None
    for service in context.services:
        if (service.namespace, service.name) == _API_SERVER and service.endpoints:
            node, surroundings = around(context)
            heading = surroundings.heading(service.endpoints[0])
            if heading is None or not isinstance(heading.address, int):
                return None
            start = surroundings.departure(Vantage.POD, protocol_number(service.protocol) or 0)
            here = replace(start.node, local_addresses=frozenset({heading.address}))
            journey = Journey(node, [heading])
            journey.begin(start._replace(node=here))
            return _stop(journey, service.endpoints[0].address or "")
    return None


def _may_stop(context: RulesetContext) -> bool:
    """Whether filter drops or refuses anything outside kube-proxy's chains: usually not."""
    table = context.table("filter")
    return table is not None and any(
        chain.policy == "DROP"
        or any(shape.target is not None and shape.target.name in _STOPPING for shape in chain.layout.shapes)
        for name, chain in table.chains.items()
        if not name.startswith("KUBE-")
    )


def _stop(journey: Journey, address: str) -> Stop | None:
    ends = list(journey.ends())
    if not ends or any(finish.verdict not in (Verdict.DROP, Verdict.REJECT) for finish, _ in ends):
        return None
    finish, flock = ends[0]
    path = flock.path(0)
    last = None if path is None else path.last()
    if not isinstance(last, Step) or last.table != "filter" or last.chain.name.startswith("KUBE-"):
        return None
    return Stop(last, finish.verdict is Verdict.DROP, address)
