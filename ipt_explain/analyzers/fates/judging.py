"""What the ends of packets mean for their Services, for a whole crowd at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from ipt_explain.analyzers.fates.reached import Reached
from ipt_explain.analyzers.fates.weighing import JudgedEnd, Judgement, Scales
from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.ends import Finish
from ipt_explain.netfilter.walk.flock import Flock
from ipt_explain.services.fates import Fate

# All is served: (some keep their source, some are masqueraded).
_WHOLE = {
    (True, False): Fate(1.0, 0.0, None, False),
    (False, True): Fate(1.0, 0.0, None, True),
    (True, True): Fate(1.0, 0.0, None, None),
}


class Judge:
    """Judges the ends of crowds. Most connections are served whole, or all lost alike; only the others are weighed one
    by one.
    """

    def __init__(self, scales: Scales) -> None:
        self._scales = scales

    def judge(
        self,
        ends: Sequence[tuple[Finish, Flock]],
        reached: Reached,
        may_refuse: Sequence[bool],
        counted: bool,
    ) -> list[Judgement]:
        """The judgement of each packet of a crowd. `reached` has the endpoints of its Service; with `counted`, also how
        much arrives at each.

        Most are fully served whatever is unknown; these are separated first, column by column.
        """
        endpoints, perhaps_here = reached.endpoints, self._scales.perhaps_here
        count = len(endpoints)
        arrivals: list[dict[Heading, float]] = [{} for _ in range(count if counted else 0)]
        kept: set[int] = set()
        masqueraded: set[int] = set()
        others: set[int] = set()
        for finish, flock in ends:
            state = finish.state
            if finish.verdict is not Verdict.ACCEPT or not state.dnat or state.answers or finish.reply:
                others.update(flock.who)
                continue
            served, strays = reached.by(flock)
            (masqueraded if state.source_decided else kept).update(served)
            others.update(strays)
            for who, to in zip(flock.who, flock.to) if perhaps_here else ():
                if to in perhaps_here and to in endpoints[who]:
                    kept.add(who)
            if not counted:
                continue
            floats = {id(share): float(share) for share in {id(share): share for share in flock.shares}.values()}
            chances = map(floats.__getitem__, map(id, flock.shares))
            for arrived, to, chance in zip(map(arrivals.__getitem__, flock.who), flock.to, chances):
                arrived[to] = arrived[to] + chance if to in arrived else chance
        weighed = self._weighed(ends, others, endpoints, may_refuse) if others else {}
        unsure = masqueraded if self._scales.shown_whole else masqueraded | kept
        whole = {sources: Judgement(fate, {}) for sources, fate in _WHOLE.items()}
        judgements: list[Judgement] = []
        for who in range(count):
            if who in weighed:
                judgements.append(weighed[who])
                continue
            judgement = whole[who in kept, who in unsure]
            judgements.append(Judgement(judgement.fate, arrivals[who]) if counted else judgement)
        return judgements

    def _weighed(
        self,
        ends: Sequence[tuple[Finish, Flock]],
        others: AbstractSet[int],
        endpoints: Sequence[frozenset[Heading]],
        may_refuse: Sequence[bool],
    ) -> Mapping[int, Judgement]:
        """Judgements by all ends; connections whose ends are alike are weighed once."""
        rows_of: dict[int, list[tuple[int, int]]] = {who: [] for who in others}
        for number, (_, flock) in enumerate(ends):
            for row, who in enumerate(flock.who):
                if who in rows_of:
                    rows_of[who].append((number, row))
        alike = frozenset(number for number, end in enumerate(ends) if self._scales.are_alike(*end))
        shares = [flock.shares for _, flock in ends]
        weighed: dict[int, Judgement] = {}
        known: dict[tuple[object, ...], Judgement] = {}
        for who, rows in rows_of.items():
            key: tuple[object, ...] = (who,)
            if alike.issuperset([number for number, _ in rows]):
                key = may_refuse[who], *[(number, id(shares[number][row])) for number, row in rows]
            if key not in known:
                own = [self._end(*ends[number], row) for number, row in rows]
                known[key] = self._scales.weigh(own, endpoints[who], may_refuse[who])
            weighed[who] = known[key]
        return weighed

    def _end(self, finish: Finish, flock: Flock, row: int) -> JudgedEnd:
        return JudgedEnd(finish, flock.to[row], flock.shares[row], flock, row)
