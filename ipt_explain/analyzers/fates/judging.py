"""What the ends of packets mean for their Services, for a whole crowd at once: which endpoints they reach, how much of
their connections each endpoint gets, and their fates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache, partial, reduce
from itertools import chain, count, repeat
from typing import TYPE_CHECKING

from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.probability import total
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.ends import Finish
from ipt_explain.netfilter.walk.packets import Packets
from ipt_explain.records import Record
from ipt_explain.services.fates import Fate
from ipt_explain.services.ports import Refusal

if TYPE_CHECKING:
    from ipt_explain.analyzers.fates.weighing import JudgedEnd, Scales, WeighedFate


Endpoints = Sequence[Sequence[Heading | None]]
"""Of each packet's Service, in order; None is one whose address is not known."""


class Landing(Record, eq=False):
    """Where packets arrive. Most arrive at the endpoints of their Service, once at each and in order.

    `whole` has the first row of each such packet, `rows` all rows of the others. `strays` are packets that partly
    arrive elsewhere, `perhaps_here` those that reach an endpoint which may be on the node itself.
    """

    whole: Mapping[int, int]
    rows: Sequence[int]
    strays: frozenset[int]
    perhaps_here: frozenset[int]


_NOWHERE = Landing({}, (), frozenset(), frozenset())


class Reached:
    """Looks up where packets of a crowd arrive. Endpoints on host networks are `perhaps_here`; `with_hosts` are the
    packets whose Services have some."""

    def __init__(self, endpoints: Endpoints, perhaps_here: frozenset[Heading]) -> None:
        self.endpoints = endpoints
        self._hosts = perhaps_here
        self.with_hosts = {
            packet for packet, own in enumerate(endpoints if perhaps_here else ()) if not perhaps_here.isdisjoint(own)
        }
        self._latest: tuple[Packets, Landing] | None = None

    def known(self, packet: int) -> frozenset[Heading]:
        """The endpoints of a packet's Service whose address is known."""
        return frozenset(filter(None, self.endpoints[packet]))

    def by(self, packets: Packets) -> Landing:
        """Where these packets arrive. Kept, since from each vantage point mostly the same packets arrive at the same
        endpoints."""
        if self._latest is None or not packets.same_packets(self._latest[0]):
            self._latest = Packets(packets.who, packets.to, packets.shares), self._landing(packets)
        return self._latest[1]

    def _landing(self, packets: Packets) -> Landing:
        who, to = packets.who, packets.to
        whole: dict[int, int] = {}
        apart: dict[int, frozenset[Heading]] = {}
        rows: list[int] = []
        for packet, own in packets.runs():
            endpoints = self.endpoints[packet]
            first = packet not in whole and packet not in apart
            if first and list(to[own.start : own.stop]) == endpoints and len(own) == len(set(endpoints)):
                whole[packet] = own.start
            else:
                apart[packet] = self.known(packet)
                rows += own
        strays = {who[row] for row in rows if to[row] not in apart[who[row]]}
        hosts = {who[row] for row in rows if to[row] in self._hosts}
        return Landing(whole, rows, frozenset(strays), frozenset(hosts.union(self.with_hosts & whole.keys())))


class Arrivals:
    """How much of each packet's connections arrives at each endpoint of its Service. Some packets are `weighed` one by
    one."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.weighed: Mapping[int, WeighedFate] = {}
        self._endpoints = endpoints
        self._whole: dict[int, Sequence[float]] = {}
        self._summed: dict[int, dict[Heading | None, float]] = {}

    def add(self, landing: Landing, packets: Packets) -> None:
        """Add what has arrived."""
        floats = {number: float(share) for number, share in dict(zip(map(id, packets.shares), packets.shares)).items()}
        shares = list(map(floats.__getitem__, map(id, packets.shares)))
        for packet, row in landing.whole.items():
            own = self._endpoints[packet]
            some = shares[row : row + len(own)]
            if packet in self._whole or packet in self._summed:
                self._sum(packet, own, some)
            else:
                self._whole[packet] = some
        for row in landing.rows:
            self._sum(packets.who[row], (packets.to[row],), (shares[row],))

    def _sum(self, packet: int, to: Sequence[Heading | None], shares: Sequence[float]) -> None:
        summed = self._summed.get(packet)
        if summed is None:
            before = self._whole.pop(packet, None)
            summed = self._summed[packet] = {} if before is None else dict(zip(self._endpoints[packet], before))
        for heading, share in zip(to, shares):
            summed[heading] = summed.get(heading, 0.0) + share

    def of(self, packet: int) -> Sequence[float | None]:
        """The share of each endpoint of a packet's Service; None if that is open."""
        if packet in self.weighed:
            return self.weighed[packet].shares_of(self._endpoints[packet])
        if packet in self._whole:
            return self._whole[packet]
        return list(map(self._summed.get(packet, {}).get, self._endpoints[packet], repeat(0.0)))


# All is served: (some keep their source, some are masqueraded).
_WHOLE = {
    (True, False): Fate(1.0, 0.0, None, False),
    (False, True): Fate(1.0, 0.0, None, True),
    (True, True): Fate(1.0, 0.0, None, None),
}


class Judge:
    """Judges the ends of a crowd's packets. Most connections are served whole, or are all lost in the same way; only
    the others are weighed one by one.

    `scales` weighs them, made on first use; `shown_whole` is as in Scales. `sent` is where each packet was sent,
    `reached` has the endpoints of its Service; `refusal` says whether the Service refuses it.
    """

    def __init__(
        self, scales: Callable[[], Scales], shown_whole: bool, sent: Sequence[Heading], reached: Reached,
        refusal: Callable[[int], Refusal],
    ) -> None:  # fmt: skip
        self._scales = scales
        self._shown_whole = shown_whole
        self._sent = sent
        self._reached = reached
        self._refusal = refusal

    def fates(self, ends: Sequence[tuple[Finish, Packets]], arrivals: Arrivals | None = None) -> list[Fate]:
        """The fate of each packet's connections; `arrivals` records how much of them arrives where.

        Most are fully served whatever is unknown; these are separated first, column by column.
        """
        kept: set[int] = set()
        masqueraded: set[int] = set()
        others: set[int] = set()
        for finish, packets in ends:
            state = finish.state
            if finish.verdict is not Verdict.ACCEPT or not state.dnat or state.answers or finish.reply:
                others.update(packets.who)
                continue
            landing = self._reached.by(packets)
            group = masqueraded if state.source_decided else kept
            group.update(landing.whole, [packets.who[row] for row in landing.rows])
            kept |= landing.perhaps_here
            others |= landing.strays
            if arrivals is not None:
                arrivals.add(landing, packets)
        weighed = self._weighed(ends, others) if others else {}
        if arrivals is not None:
            arrivals.weighed = weighed
        unsure = masqueraded if self._shown_whole else masqueraded | kept
        return [
            weighed[packet].fate if packet in weighed else _WHOLE[packet in kept, packet in unsure]
            for packet in range(len(self._reached.endpoints))
        ]

    def _weighed(self, ends: Sequence[tuple[Finish, Packets]], others: AbstractSet[int]) -> Mapping[int, WeighedFate]:
        """Judgements by all ends; connections with equal ends are weighed once."""
        from ipt_explain.netfilter.naming import names_of

        scales = self._scales()
        refusals = {packet: self._refusal(packet) for packet in others}
        ends_of: dict[int, list[Sequence[JudgedEnd]]] = {packet: [] for packet in others}
        for number, (finish, packets) in enumerate(ends):
            for packet, own in self._judged(scales, number, finish, packets, refusals):
                ends_of[packet].append(own)
        known: dict[tuple[int, ...], WeighedFate] = {}
        weighed: dict[int, WeighedFate] = {}
        for packet, judged in ends_of.items():
            key = tuple(map(id, judged))
            if key not in known:
                known[key] = scales.weigh(ends, list(chain.from_iterable(judged)))
            weighed[packet] = known[key]
            if known[key].asked:
                endpoints = self._reached.endpoints[packet]
                weighed[packet] = known[key].named(names_of(ends[0][0].state, self._sent[packet], endpoints))
        return weighed

    def _judged(
        self, scales: Scales, number: int, finish: Finish, packets: Packets, refusals: Mapping[int, Refusal]
    ) -> Iterator[tuple[int, Sequence[JudgedEnd]]]:
        """The packets at one end, each with how its connections end there. All that end alike share one object."""
        from ipt_explain.analyzers.fates.weighing import JudgedEnd
        from ipt_explain.netfilter.naming import asks_of_bound

        asks = asks_of_bound(finish.state.answers)  # each packet something else
        common = cache(partial(scales.common_part, finish, packets))
        arrive = finish.verdict is Verdict.ACCEPT and finish.state.dnat
        landing = self._reached.by(packets) if arrive else _NOWHERE
        known: dict[tuple[object, ...], Sequence[JudgedEnd]] = {}
        alike: dict[Sequence[JudgedEnd], Sequence[JudgedEnd]] = {}
        for packet, rows in packets.runs():
            if packet not in refusals:
                continue
            shares = packets.shares[rows.start : rows.stop]
            part = None if asks else common(refusals[packet])
            key: tuple[object, ...]
            own: Sequence[JudgedEnd]
            if part is not None:
                key = (id(part), *map(id, shares))
                if key not in known:
                    own = (JudgedEnd(number, part, reduce(total, shares), None, False),)
                    known[key] = alike.setdefault(own, own)
            elif landing.whole.get(packet) == rows.start and packet not in landing.perhaps_here:
                key = tuple(map(id, shares))
                if key not in known:
                    part = scales.part(finish, packets, rows.start, True, refusals[packet])
                    own = tuple([JudgedEnd(number, part, *each, False) for each in zip(shares, count())])
                    known[key] = alike.setdefault(own, own)
            else:
                bound = packets.to[rows.start : rows.stop]
                places = list(map(dict(zip(self._reached.endpoints[packet], count())).get, bound))
                here = list(map(scales.perhaps_here.__contains__, bound))
                refusal = refusals[packet]
                parts = [
                    scales.part(finish, packets, row, place is not None, refusal) for row, place in zip(rows, places)
                ]
                strays = [to if asks and place is None else None for to, place in zip(bound, places)]
                key = (*map(id, parts), *map(id, shares), *places, *here, *strays)
                if key not in known:
                    own = tuple([JudgedEnd(number, *each) for each in zip(parts, shares, places, here, strays)])
                    known[key] = alike.setdefault(own, own)
            yield packet, known[key]
