"""The fates of service ports' frontends, and the facts that follow: state, probabilities, hairpin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from ipt_explain.analyzers.fates.judging import Arrivals, Judge, Reached
from ipt_explain.analyzers.fates.masquerading import Bound, Masquerading
from ipt_explain.analyzers.fates.vantages import Surroundings, asking_together, shows_all_nat, surroundings
from ipt_explain.collector import keep
from ipt_explain.columns import column, in_columns
from ipt_explain.model import Backend, Dump, Family
from ipt_explain.netfilter.header import network_bits, parse_address, parse_ipv4, protocol_number
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.walk.journey import Journey
from ipt_explain.netfilter.walk.stages import NodeRules
from ipt_explain.netfilter.whereabouts import Address, Whereabouts
from ipt_explain.progress import each_of
from ipt_explain.records import Record, replace
from ipt_explain.services.fates import NAT_NOT_SHOWN, NFT_NOT_SHOWN, SERVERS_NOT_SHOWN, Fate, Fates, Loss, Vantage
from ipt_explain.services.ports import (
    Endpoint,
    Frontend,
    FrontendKind,
    FrontendVerdict,
    Refusal,
    ServicePort,
    ServiceState,
)

if TYPE_CHECKING:
    from ipt_explain.analyzers.fates.weighing import Scales
    from ipt_explain.model.node import VirtualServers
    from ipt_explain.netfilter.walk.replies import Replies


def with_fates(
    dump: Dump, family: Family, services: Sequence[ServicePort], numbers: Mapping[Backend | None, int]
) -> list[ServicePort]:
    """Service ports of one family and backend of a node, judged by all rules of that family in the dump. `numbers` are
    the numbers of the family's nftables and IPVS rulesets among all."""
    if not services:
        return []
    rulesets = [ruleset for ruleset in dump.rulesets if ruleset.family is family]
    node = NodeRules(rulesets, family, dump.nft, _virtual_servers(dump))
    dnat_shown = dump.nft is None or not dump.nft.fragment
    shown_whole = shows_all_nat(dump, rulesets)
    around = surroundings(dump, family, services, node)
    filters = [ruleset.tables.get("filter") for ruleset in rulesets]
    drops_shown = all(table is not None and table.whole for table in filters)
    filter_shown = any(table is not None for table in filters) or dump.nft is not None

    @cache
    def scales() -> Scales:
        """Made for the first connections that are not served whole: most nodes serve all."""
        from ipt_explain.analyzers.fates.deciding import Deciders
        from ipt_explain.analyzers.fates.weighing import Scales

        deciders = Deciders(dump.rulesets, numbers, services[0].backend, node.stages)
        return Scales(deciders, around.host_endpoints, shown_whole, drops_shown, filter_shown, dnat_shown)

    mark = _mark(dump, family) if services[0].backend is Backend.NFTABLES else None
    reader = _Reader(node, scales, around, shown_whole, filter_shown, mark)
    keep(reader, services)
    return reader.judged(services)


def _virtual_servers(dump: Dump) -> VirtualServers | None:
    if not dump.node:
        return None
    from ipt_explain.analyzers.virtual_servers import servers_asked

    return servers_asked(dump.node)


def _mark(dump: Dump, family: Family) -> int | None:
    """The mark with which packets leave the chain mark-for-masquerade of kube-proxy's nftables mode."""
    from ipt_explain.analyzers.nftables.masquerading import mark_set
    from ipt_explain.analyzers.nftables.tables import proxy_table

    table = None if dump.nft is None else proxy_table(dump.nft, family)
    return None if table is None else mark_set(table)


def _replies(node: NodeRules) -> Replies | None:
    """What follows replies, if any rule may stop them."""
    if node.nat_only:
        return None
    from ipt_explain.netfilter.walk.replies import Replies

    return Replies(node)


class _Followed(Record, eq=False):
    """Services of one protocol, and what happened to their packets: the fates of each frontend in turn, from each
    vantage point."""

    services: Sequence[tuple[ServicePort, Bound]]
    told: Sequence[Sequence[Fate]]
    arrivals: Arrivals
    masquerading: Masquerading


class _Reader:
    """Reads fates. `mark` is kube-proxy's mark for masquerading in nftables mode, if the text shows it."""

    def __init__(
        self, node: NodeRules, scales: Callable[[], Scales], around: Surroundings, shown_whole: bool,
        filter_shown: bool, mark: int | None,
    ) -> None:  # fmt: skip
        self._node = node
        self._mark = mark
        self._scales = scales
        self._around = around
        self._shown_whole = shown_whole
        self._filter_shown = filter_shown
        self._replies = _replies(node)

    def judged(self, services: Sequence[ServicePort]) -> list[ServicePort]:
        """Services with their fates, protocol by protocol: packets that differ only in their destination travel
        together."""
        judged = list(services)
        numbers: dict[str, list[int]] = {}
        for number, service in enumerate(services):
            numbers.setdefault(service.protocol, []).append(number)
        followed = [
            self._followed(protocol, [(services[number], self._around.bound[number]) for number in same])
            for protocol, same in numbers.items()
        ]
        self._node.indexes.forget()
        for same, each in zip(numbers.values(), followed):
            for number, service in zip(same, self._summed_up(each)):
                judged[number] = service
        return judged

    def _followed(self, protocol: str, services: Sequence[tuple[ServicePort, Bound]]) -> _Followed:
        masquerading = Masquerading(
            self._node, self._around, protocol, services, self._shown_whole, self._scales, self._mark
        )
        crowd = [(service, frontend) for service, _ in services for frontend in service.frontends]
        endpoints = [bound for service, bound in services for _ in service.frontends]
        sent = self._sent([frontend for _, frontend in crowd])
        reached, arrivals = Reached(endpoints, self._around.host_endpoints), Arrivals(endpoints)
        judge = Judge(self._scales, self._shown_whole, sent, reached, lambda packet: self._refusal(*crowd[packet]))
        found: list[Sequence[Fate]] = []
        for vantage in each_of(tuple(Vantage), "following packets"):
            journey = Journey(self._node, sent)
            start = asking_together(self._around.departure(vantage, protocol_number(protocol) or 0), self._node)
            journey.begin(self._sharing_questions(start, crowd, sent, reached) if vantage is Vantage.NODE else start)
            ends = journey.ends() if self._replies is None else self._replies.checked(journey.ends(), sent)
            found.append(judge.fates(list(ends), arrivals if vantage is Vantage.POD else None))
        told = [fates if _shows(*each) else _NO_SERVERS_SHOWN for each, fates in zip(crowd, zip(*found))]
        return _Followed(services, told, arrivals, masquerading)

    def _sharing_questions(
        self, start: PacketState, crowd: Sequence[tuple[ServicePort, Frontend]], sent: Sequence[Heading],
        reached: Reached,
    ) -> PacketState:  # fmt: skip
        """A packet from the node, whose address may be any that a Service's rules name."""
        hosts = reached.with_hosts
        asked = [packet for packet, (_, frontend) in enumerate(crowd) if frontend.source_ranges or packet in hosts]
        if len(asked) < _WORTH_SHARING:
            return start
        from ipt_explain.analyzers.fates.shared_questions import shared_questions

        packets = [(crowd[packet], sent[packet], reached.endpoints[packet]) for packet in asked]
        shared = shared_questions(packets, self._around.host_endpoints, self._around.family)
        return start._replace(node=replace(start.node, shared_questions=shared))

    def _sent(self, frontends: Sequence[Frontend]) -> Sequence[Heading]:
        """Where connections to frontends are sent. IPv4 is read at once."""
        texts = [frontend.address for frontend in frontends]
        addresses = parse_ipv4(texts)
        if addresses is None:
            return list(map(self._heading, frontends))
        return list(map(Heading, addresses, [frontend.port for frontend in frontends]))

    def _heading(self, frontend: Frontend) -> Heading:
        if frontend.address is None:
            return Heading(self._around.with_node_ports, frontend.port)
        return Heading(_address(frontend.address, self._around.family), frontend.port)

    def _summed_up(self, followed: _Followed) -> Iterator[ServicePort]:
        """Services with their fates and what follows from them."""
        told = enumerate(followed.told)
        for service, bound in each_of(followed.services, "summing up"):
            found = list(islice(told, len(service.frontends)))
            frontends = tuple([
                replace(frontend, fates=self._fates(service.backend, frontend, fates), verdict=self._verdict(frontend))
                for frontend, (_, fates) in zip(service.frontends, found)
            ])
            by_kind = zip([frontend.kind for frontend in frontends], found)
            of_cluster_ip = next((each for kind, each in by_kind if kind is FrontendKind.CLUSTER_IP), None)
            if of_cluster_ip is None:
                yield replace(service, frontends=frontends)
                continue
            packet, fates = of_cluster_ip
            yield replace(
                service,
                frontends=frontends,
                state=_state(service, fates[0]),
                endpoints=_arriving(service, bound, followed.arrivals.of(packet), followed.masquerading),
                masquerade=followed.masquerading.of_service(service, bound, fates),
            )

    def _fates(self, backend: Backend | None, frontend: Frontend, fates: Sequence[Fate]) -> Fates:
        """A frontend's fates; unknown if its rules are not in the text. With external policy Local and no local
        endpoints, filter refuses what nat does not send from pods and the node to endpoints elsewhere: unknown if the
        text lacks that."""
        if not self._shown_whole:
            led = frontend.kind is FrontendKind.CLUSTER_IP or frontend.balancer or frontend.node_balancer
            unknown = _NFT_NOT_SHOWN if backend is Backend.NFTABLES else _NOT_SHOWN
            if frontend.verdict is FrontendVerdict.UNKNOWN:
                fates = (unknown,) * 3
            elif frontend.verdict is FrontendVerdict.DROP and not led:
                fates = (unknown, unknown, fates[-1])
        if any(fate.lost for fate in fates):
            from ipt_explain.analyzers.fates.declining import with_declined

            fates = [with_declined(frontend, *each) for each in zip(Vantage, fates)]
        return Fates(*fates)

    def _refusal(self, service: ServicePort, frontend: Frontend) -> Refusal:
        refusal = service.refusal(frontend)
        return Refusal.OF_SOME if refusal is Refusal.OF_NONE and self._leads_nowhere(frontend) else refusal

    def _leads_nowhere(self, frontend: Frontend) -> bool:
        """Whether nat sends connections to no endpoint, so that filter, which the text lacks, may refuse them."""
        unmatched = frontend.verdict is FrontendVerdict.UNMATCHED and frontend.kind is not FrontendKind.CLUSTER_IP
        return unmatched and not self._filter_shown

    def _verdict(self, frontend: Frontend) -> FrontendVerdict:
        return FrontendVerdict.UNKNOWN if self._leads_nowhere(frontend) else frontend.verdict


def _arriving(
    service: ServicePort, bound: Bound, chances: Sequence[float | None], masquerading: Masquerading
) -> Sequence[Endpoint]:
    """Endpoints with the probability that a connection reaches them."""
    endpoints = service.endpoints
    stated = column(endpoints, "probability")
    if not all(bound):
        chances = [stated[row] if heading is None else chances[row] for row, heading in enumerate(bound)]
    hairpins = masquerading.hairpins(service, bound)
    if hairpins is column(endpoints, "hairpin") and chances == list(stated):
        return endpoints
    return in_columns(endpoints, Endpoint).with_columns(probability=chances, hairpin=hairpins)


def _address(text: str, family: Family) -> Address:
    """A frontend's address; an unknown one for a network or a name."""
    try:
        return parse_address(text)
    except ValueError:
        try:
            return Whereabouts(text, family, within=(network_bits(text),), ordinary=True)
        except ValueError:
            return Whereabouts(text, family)


def _shows(service: ServicePort, frontend: Frontend) -> bool:
    """Whether the input shows what takes a frontend's connections, if IPVS does."""
    return service.backend is not Backend.IPVS or frontend.verdict is not FrontendVerdict.UNKNOWN


_WORTH_SHARING = 16  # this many packets may each have questions of their own
_NOT_SHOWN = Fate(None, None, None, None, (NAT_NOT_SHOWN,))
_NFT_NOT_SHOWN = Fate(None, None, None, None, (NFT_NOT_SHOWN,))
_NO_SERVERS_SHOWN = (Fate(None, None, None, None, (SERVERS_NOT_SHOWN,)),) * 3
_STATES = {
    Loss.UNTRANSLATED: ServiceState.UNMATCHED,
    Loss.DIVERTED: ServiceState.DIVERTED,
    Loss.INTERCEPTED: ServiceState.DIVERTED,
    Loss.DROPPED: ServiceState.BLOCKED,
    Loss.REJECTED: ServiceState.BLOCKED,
    Loss.UNANSWERED: ServiceState.BLOCKED,
    Loss.UNKNOWN: ServiceState.UNKNOWN,
}
_STOPPED = (Loss.DROPPED, Loss.REJECTED)
_REFUSED = (ServiceState.NO_ENDPOINTS, ServiceState.NO_LOCAL_ENDPOINTS)


def _state(service: ServicePort, fate: Fate) -> ServiceState:
    """The fate of an ordinary pod's connections to the ClusterIP."""
    if fate.refused:
        return service.state if service.state in _REFUSED else ServiceState.NO_ENDPOINTS
    if fate.served is None:
        return ServiceState.UNKNOWN
    if not fate.lost:
        return ServiceState.SERVING
    if fate.has_unknown and (not fate.served or all(lost.how is Loss.UNKNOWN for lost in fate.lost)):
        return ServiceState.UNKNOWN
    if fate.served:
        return ServiceState.DEGRADED
    if service.state is ServiceState.NO_ENDPOINTS and all(lost.how in _STOPPED for lost in fate.lost):
        return service.state  # connections had nothing to reach
    return _STATES[max(fate.lost, key=lambda lost: lost.probability).how]
