"""Which endpoints get masqueraded packets, considering all of POSTROUTING, and what follows for Services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from ipt_explain.analyzers.fates.vantages import Surroundings, asking_together
from ipt_explain.analyzers.names import MARK_MASQ
from ipt_explain.analyzers.rulesets import chains_from
from ipt_explain.columns import column
from ipt_explain.model import Layout, Ruleset
from ipt_explain.netfilter.header import parse_address, protocol_number
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.packet import Heading, PacketState, Tracking
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.chains.evaluator import Crowd
from ipt_explain.netfilter.walk.chains.frontier import Budget
from ipt_explain.netfilter.walk.chains.table import TableWalk
from ipt_explain.netfilter.walk.ends import Finish
from ipt_explain.netfilter.walk.hook_walk import MOST_WORK
from ipt_explain.netfilter.walk.journey import Journey
from ipt_explain.netfilter.walk.stages import NodeRules
from ipt_explain.netfilter.whereabouts import Whereabouts
from ipt_explain.records import replace
from ipt_explain.services.fates import Fate, Vantage
from ipt_explain.services.ports import Masquerade, ServicePort

if TYPE_CHECKING:
    from ipt_explain.analyzers.fates.own_connections import OwnConnection
    from ipt_explain.analyzers.fates.unmasqueraded import Left
    from ipt_explain.analyzers.fates.weighing import Scales
    from ipt_explain.netfilter.walk.packets import Packets
    from ipt_explain.services.fates import Unmasqueraded

Bound = Sequence[Heading | None]
"""The destinations of packets to a Service's endpoints; None if unknown."""

_layout_of = attrgetter("layout")
_MOST_ENDPOINTS = 256
_FEW = 64  # following this many endpoints is as fast as finding out whether any rule asks for them
_WORK = 1_000  # rules that may be evaluated to find that out
# Where marks are tested and changed after DNAT, and sources rewritten.
_CHANGING = (("mangle", Hook.FORWARD), ("mangle", Hook.POSTROUTING), ("nat", Hook.POSTROUTING))
_LEAVING = (*_CHANGING, ("filter", Hook.FORWARD))


class Masquerading:
    """Corrects what endpoints' chains say about masquerading by what the node's rules really do with packets of one
    protocol.

    `services` are those of the protocol, with where their endpoints are. `shown_whole`: the text has all rules that may
    masquerade. `scales` know who decides what. `mark` is kube-proxy's mark in nftables mode.
    """

    def __init__(
        self, node: NodeRules, around: Surroundings, protocol: str, services: Sequence[tuple[ServicePort, Bound]],
        shown_whole: bool, scales: Callable[[], Scales], mark: int | None = None,
    ) -> None:  # fmt: skip
        self._node = node
        self._around = around
        self._start = around.departure(Vantage.POD, protocol_number(protocol) or 0)
        self._services = services
        self._left: list[Left] = []
        self._shown_whole = shown_whole
        self._alike: Mapping[int, Sequence[Heading]] | None = None
        self._odd_services: frozenset[Heading] = frozenset()
        marks = self._marks_set() if mark is None else {mark}
        kept, perhaps, masked = self._leaving(min(marks), self._left) if len(marks) == 1 else ((), (), ())
        self._doubted = frozenset(perhaps).intersection(masked).difference(kept) if perhaps else frozenset[Heading]()
        self._unmasked = frozenset((*kept, *perhaps))
        self._scales = scales
        self._marked = marks != {0}
        self._masked = self._masqueraded_unmarked()
        self._followed = self._odd_ones() if shown_whole and mark is None else {}

    def hairpins(self, service: ServicePort, bound: Bound) -> Sequence[bool | None]:
        """Whether each endpoint can reach itself through the Service; None if unknown."""
        endpoints = service.endpoints
        hairpins = column(endpoints, "hairpin")
        if self._unmasked and not self._unmasked.isdisjoint(bound):
            hairpins = [
                self._unless_doubted(heading) if marked and heading in self._unmasked else hairpin
                for hairpin, marked, heading in zip(hairpins, column(endpoints, "marked"), bound)
            ]
        if self._masked and not self._masked.isdisjoint(bound):
            hairpins = [True if heading in self._masked else hairpin for hairpin, heading in zip(hairpins, bound)]
        if self._followed:
            sent = _sent(service)
            own = [None if sent is None or heading is None else (sent, heading) for heading in bound]
            if not self._followed.keys().isdisjoint(own):
                hairpins = [
                    hairpin if each is None else self._followed.get(each, hairpin)
                    for hairpin, each in zip(hairpins, own)
                ]
        return hairpins

    def of_service(self, service: ServicePort, bound: Bound, fates: Sequence[Fate]) -> Masquerade:
        """Which connections to a Service are masqueraded; `fates` are those of its ClusterIP."""
        found = service.masquerade
        if self._followed and found.hairpin is not None and _sent(service) in self._odd_services:
            hairpins = self.hairpins(service, bound)
            found = replace(found, hairpin=False if False in hairpins else None if None in hairpins else True)
        if found.all is False and all(fate.masqueraded for fate in fates):
            found = replace(found, all=True)
        if found.hairpin is False and self._masked.issuperset(bound):
            found = replace(found, hairpin=True)
        if not self._unmasked or self._unmasked.isdisjoint(bound):
            return found
        if found.hairpin:
            doubted = self._doubted.issuperset(self._unmasked.intersection(bound))
            found = replace(found, hairpin=None if doubted or not self._shown_whole else False)
        if found.hairpin is False and service.masquerade.hairpin:  # marked, but not masqueraded
            found = replace(found, kept=next(filter(None, map(self._kept.get, filter(None, bound))), None))
        return found

    @cached_property
    def _kept(self) -> Mapping[Heading, Unmasqueraded]:
        """For each endpoint that marked packets reach with their own source, the reason."""
        from ipt_explain.analyzers.fates.unmasqueraded import unmasqueraded

        return unmasqueraded(self._left, self._marked, self._node, self._scales().deciders)

    def _odd_ones(self) -> Mapping[OwnConnection, bool | None]:
        """Pods' own connections, if their chains may mark them differently from kube-proxy's."""
        from ipt_explain.analyzers.fates.own_connections import (
            ends_matter,
            is_in_any,
            is_usual,
            is_usual_mark,
            marks_matter,
            masqueraded,
            networks_translated,
        )

        nats = [ruleset for ruleset in self._node.rulesets if "nat" in ruleset.tables]
        chains = [chain for ruleset in nats for chain in ruleset.tables["nat"].chains.values()]
        odd = {layout for layout in set(map(_layout_of, chains)) if _translates(layout) and not is_usual(layout)}
        names = {chain.name for chain in chains if chain.layout in odd} if odd else frozenset[str]()
        always = (
            marks_matter(self._node.rulesets, _LEAVING)
            or ends_matter(self._node.rulesets, _LEAVING)
            or not all(is_usual_mark(ruleset, MARK_MASQ) for ruleset in nats if ruleset.chain("nat", MARK_MASQ))
        )
        taken = [bits for ruleset in nats for bits in networks_translated(ruleset)]
        wanted: list[OwnConnection] = []
        for service, bound in self._services:
            every = always or (bool(taken) and is_in_any(_sent(service), taken))
            if not (every or names) and service.masquerade.hairpin:
                continue  # so far, that is whether the chains of all endpoints mark
            if len(bound) > _MOST_ENDPOINTS:
                continue  # each of them is followed to all of them
            sent, marked, own = _sent(service), column(service.endpoints, "marked"), column(service.endpoints, "chain")
            if sent is not None and (every or False in marked or not names.isdisjoint(own)):
                wanted += [
                    (sent, heading)
                    for heading, marks, name in zip(bound, marked, own)
                    if heading is not None and (every or marks is False or name in names)
                    if heading not in self._around.host_endpoints
                ]
        if not wanted:
            return {}
        self._odd_services = frozenset([sent for sent, _ in wanted])
        return masqueraded(self._node, self._start, wanted)

    def _unless_doubted(self, heading: Heading | None) -> bool | None:
        return None if heading in self._doubted or not self._shown_whole else False

    def _masqueraded_unmarked(self) -> frozenset[Heading]:
        """Pods to which connections from pods are always masqueraded, even without a mark. Looked up only if a chain
        lacks its mark.
        """
        odd = (service.endpoints for service, _ in self._services if not service.masquerade.hairpin)
        if not any(False in column(endpoints, "hairpin") for endpoints in odd):
            return frozenset()
        kept, perhaps, masked = self._leaving(0, [])
        return frozenset(masked).difference(kept, perhaps) - self._around.host_endpoints

    def _leaving(self, mark: int, left: list[Left]) -> tuple[list[Heading], list[Heading], list[Heading]]:
        """For packets with this mark from pods, or from the endpoints themselves: the endpoints that they reach with
        their own source, those for which that depends on an open question, and those that they may reach masqueraded.
        Packets that keep their source are added to `left`.
        """
        kept: list[Heading] = []
        perhaps: list[Heading] = []
        masked: list[Heading] = []
        sent = list(filter(None, chain.from_iterable([bound for _, bound in self._services])))
        pod = self._start._replace(mark=mark, tracking=Tracking.NEW, destination_decided=True, dnat=True)
        pod = asking_together(pod, self._node)
        starts: list[tuple[PacketState, Sequence[Heading]]] = []
        singled_out = self._singled_out()
        if singled_out:
            from ipt_explain.analyzers.fates.own_connections import sent_by

            starts = [(sent_by(source, pod), own) for source, own in singled_out.items()]
        alone = frozenset(chain.from_iterable([own for _, own in starts]))
        starts.append((pod, [each for each in sent if each not in alone] if alone else sent))
        for start, some in starts:
            ends = self._forwarded(start, some)
            left += [
                (packets, reached)
                for finish, packets, reached in ends
                if finish.verdict is Verdict.ACCEPT and not finish.state.source_decided
            ]
            told = [(finish, reached) for finish, _, reached in ends]
            if pod.node.names_later and any(finish.state.answers for finish, _ in told):
                told = list(_without_idle(told))
            for finish, reached in told:
                if finish.verdict is Verdict.ACCEPT:
                    own = perhaps if finish.state.answers else kept
                    (masked if finish.state.source_decided else own).extend(reached)
        return kept, perhaps, masked

    def _singled_out(self) -> Mapping[int, Sequence[Heading]]:
        """Endpoints whose own connections meet rules for their addresses, grouped by the rules that they meet, by the
        address of one of them. The connections of all others are like an ordinary pod's."""
        if self._alike is None:
            self._alike = {}
            sources = {
                source: None
                for ruleset in self._node.rulesets
                for table, hook in _CHANGING
                for source in _sources(ruleset, table, hook.value)
            }
            if sources:
                from ipt_explain.analyzers.fates.senders import sent_alike

                endpoints = dict.fromkeys(filter(None, chain.from_iterable([bound for _, bound in self._services])))
                self._alike = sent_alike(list(endpoints), sources, self._around.pod)
        return self._alike

    def _forwarded(
        self, start: PacketState, sent: Sequence[Heading]
    ) -> Sequence[tuple[Finish, Packets, Sequence[Heading]]]:
        """How forwarded packets to endpoints end, with the endpoints. Mostly no rule looks at the endpoint; then one
        packet to an unknown endpoint ends like all of them, without a question."""
        if len(sent) > _FEW:
            anywhere = Whereabouts("the endpoint's address", self._around.family, owned=Truth.UNKNOWN)
            journey = Journey(self._node, (Heading(anywhere, None),), _WORK)
            journey.forward(start)
            ends = list(journey.ends())
            if not any(finish.state.answers or finish.verdict is Verdict.UNKNOWN for finish, _ in ends):
                return [(finish, packets, sent) for finish, packets in ends]
        journey = Journey(self._node, sent)
        journey.forward(start)
        return [(finish, packets, packets.to) for finish, packets in journey.ends()]

    def _marks_set(self) -> frozenset[int]:
        """The marks with which packets return from KUBE-MARK-MASQ."""
        heading = Heading(self._around.pod, None)
        state = self._start._replace(tracking=Tracking.NEW)
        crowd, node = Crowd((heading,), (heading,)), self._node
        found: set[int] = set()
        for ruleset in node.rulesets:
            if ruleset.chain("nat", MARK_MASQ) is not None:
                nat = ruleset.tables["nat"]
                walk = TableWalk(nat, crowd, node.evaluator, node.indexes, Budget(MOST_WORK), ruleset.fragment)
                found.update(arrival.end.state.mark for arrival in walk.arrivals(MARK_MASQ, [(state, (0,))]))
        return frozenset(found)


def _without_idle(
    ends: Sequence[tuple[Finish, Sequence[Heading]]]
) -> Iterator[tuple[Finish, Sequence[Heading]]]:
    """The same ends, without answers that make no difference to an endpoint."""
    plain = [replace(finish, state=finish.state.with_answers(())) for finish, _ in ends]
    ends_of: dict[Heading, set[Finish]] = {}
    for end, (_, reached) in zip(plain, ends):
        for heading in reached:
            ends_of.setdefault(heading, set()).add(end)
    for end, (finish, reached) in zip(plain, ends):
        yield end, [heading for heading in reached if len(ends_of[heading]) == 1]
        yield finish, [heading for heading in reached if len(ends_of[heading]) > 1]


def _translates(layout: Layout) -> bool:
    return any(shape.target is not None and shape.target.name == "DNAT" for shape in layout.shapes)


def _sent(service: ServicePort) -> Heading | None:
    """Where connections to a Service are sent."""
    try:
        return None if service.cluster_ip is None else Heading(parse_address(service.cluster_ip), service.port)
    except ValueError:
        return None


def _sources(ruleset: Ruleset, table: str, hook: str) -> Iterator[str]:
    """The sources (`-s`) that rules name in the chains that a hook leads to."""
    for reached in chains_from(ruleset, table, hook):
        layout = reached.layout
        for number, shape in enumerate(layout.shapes):
            place = layout.place(number, shape.core_option("-s"))
            if place is not None:
                yield reached.at(place)
