"""What the ends of packets mean for their Services, for a whole crowd at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from ipt_explain.analyzers.fates.reached import Arrivals, Reached
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.ends import Finish
from ipt_explain.netfilter.walk.packets import Packets
from ipt_explain.services.fates import Fate

if TYPE_CHECKING:
    from ipt_explain.analyzers.fates.weighing import Judgement, Scales

# All is served: (some keep their source, some are masqueraded).
_WHOLE = {
    (True, False): Fate(1.0, 0.0, None, False),
    (False, True): Fate(1.0, 0.0, None, True),
    (True, True): Fate(1.0, 0.0, None, None),
}


class Judge:
    """Judges the ends of a crowd's packets. Most connections are served whole, or all lost alike; only the others are
    weighed one by one.

    `scales` are made if any are; `shown_whole` is theirs. `reached` has the endpoints of each packet's Service;
    `may_refuse` tells whether a packet's Service may refuse it.
    """

    def __init__(
        self, scales: Callable[[], Scales], shown_whole: bool, reached: Reached, may_refuse: Callable[[int], bool]
    ) -> None:
        self._scales = scales
        self._shown_whole = shown_whole
        self._reached = reached
        self._may_refuse = may_refuse

    def fates(self, ends: Sequence[tuple[Finish, Packets]], arrivals: Arrivals | None = None) -> list[Fate]:
        """The fate of each packet's connections; `arrivals` are told how much of them arrives where.

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

    def _weighed(self, ends: Sequence[tuple[Finish, Packets]], others: AbstractSet[int]) -> Mapping[int, Judgement]:
        """Judgements by all ends; connections whose ends are alike are weighed once."""
        from ipt_explain.analyzers.fates.weighing import JudgedEnd

        scales = self._scales()
        rows_of: dict[int, list[tuple[int, range]]] = {packet: [] for packet in others}
        for number, (_, packets) in enumerate(ends):
            for packet, rows in packets.runs():
                if packet in rows_of:
                    rows_of[packet].append((number, rows))
        alike = frozenset(number for number, end in enumerate(ends) if scales.are_alike(*end))
        shares = [packets.shares for _, packets in ends]
        weighed: dict[int, Judgement] = {}
        known: dict[tuple[object, ...], Judgement] = {}
        for packet, runs in rows_of.items():
            may_refuse = self._may_refuse(packet)
            key: tuple[object, ...] = (packet,)
            if alike.issuperset([number for number, _ in runs]):
                key = may_refuse, *[(number, *map(id, shares[number][rows.start : rows.stop])) for number, rows in runs]
            if key not in known:
                judged = [(*ends[number], row) for number, rows in runs for row in rows]
                own = [JudgedEnd(end, packets.to[at], packets.shares[at], packets, at) for end, packets, at in judged]
                known[key] = scales.weigh(own, self._reached.known(packet), may_refuse)
            weighed[packet] = known[key]
        return weighed
