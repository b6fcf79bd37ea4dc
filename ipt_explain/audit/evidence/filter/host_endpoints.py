"""What filter does to connections to endpoints on host networks, if these are on this node, and to NodeLocal DNSCache,
which always is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.losses.lossy import filter_may_stop
from ipt_explain.audit.evidence.services.vital import is_api_server
from ipt_explain.netfilter.header import parse_address, protocol_number
from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.journey import Journey
from ipt_explain.netfilter.walk.path import Step
from ipt_explain.records import Record, replace
from ipt_explain.services.fates import Vantage
from ipt_explain.services.losses import answered
from ipt_explain.services.ports import ServicePort

_CACHE = "node-local-dns"
_MOST = 1000


class Stop(Record):
    """Where every connection from a pod to some endpoints ends; `of_cache` if NodeLocal DNSCache answers there."""

    step: Step
    dropped: bool
    endpoints: tuple[tuple[ServicePort, Heading], ...]
    of_cache: bool

    @property
    def is_of_api_server(self) -> bool:
        """Whether the API server is among them."""
        return any(is_api_server(service) for service, _ in self.endpoints)


def host_stops(context: RulesetContext) -> Iterator[Stop]:
    """Where new connections from pods to endpoints on host networks end if these are on this node: one for each rule or
    policy of filter."""
    if not filter_may_stop(context):
        return
    _, surroundings = context.around
    by_protocol: dict[tuple[str, bool], dict[Heading, ServicePort]] = {}
    for service, bound in zip(context.services, surroundings.bound):
        own = frozenset(filter(None, bound))
        for heading in own if is_api_server(service) else own & surroundings.host_endpoints:
            if isinstance(heading.address, int):
                by_protocol.setdefault((service.protocol, True), {}).setdefault(heading, service)
        if _is_cached(service) and service.cluster_ip is not None:
            cache = Heading(parse_address(service.cluster_ip), service.port)
            by_protocol.setdefault((service.protocol, False), {})[cache] = service
    found: dict[tuple[str, int | None, bool], Stop] = {}
    for (protocol, translated), owners in by_protocol.items():
        for stop in _stops(context, protocol, translated, dict(islice(owners.items(), _MOST))):
            key = (stop.step.chain.name, stop.step.line, stop.of_cache)
            before = found.get(key)
            found[key] = stop if before is None else replace(before, endpoints=before.endpoints + stop.endpoints)
    yield from found.values()


def _stops(
    context: RulesetContext, protocol: str, translated: bool, owners: dict[Heading, ServicePort]
) -> Iterator[Stop]:
    """Where packets end. `translated`: DNAT has sent them there, which rules that accept state DNAT can tell."""
    node, surroundings = context.around
    start = surroundings.departure(Vantage.POD, protocol_number(protocol) or 0)
    start = start._replace(destination_decided=translated, dnat=translated)
    here = frozenset(heading.address for heading in owners if isinstance(heading.address, int))
    headings = list(owners)
    journey = Journey(node, headings)
    others = start.node.foreign_addresses - here
    journey.begin(start._replace(node=replace(start.node, local_addresses=here, foreign_addresses=others)))
    stopped: dict[tuple[str, int | None], tuple[Step, bool, set[int]]] = {}
    passing: set[int] = set()
    for finish, packets in journey.ends():
        path = packets.path(0)
        step = None if path is None else path.last()
        if isinstance(step, Step) and finish.verdict in (Verdict.DROP, Verdict.REJECT) and _is_of_others(step):
            dropped = finish.verdict is Verdict.DROP
            stopped.setdefault((step.chain.name, step.line), (step, dropped, set()))[2].update(packets.who)
        else:
            passing.update(packets.who)
    for step, dropped, who in stopped.values():
        found = [(owners[heading], heading) for heading in (headings[each] for each in sorted(who - passing))]
        for of_cache in (False, True):
            some = tuple([each for each in found if _is_cached(each[0]) is of_cache])
            if some:
                yield Stop(step, dropped, some, of_cache)


def _is_of_others(step: Step) -> bool:
    return step.table == "filter" and not step.chain.name.startswith("KUBE-")


def _is_cached(service: ServicePort) -> bool:
    """Whether NodeLocal DNSCache answers on the Service's address, which is then the node's own."""
    return any(vantage is Vantage.POD and lost.decider.owner == _CACHE for vantage, lost in answered(service))
