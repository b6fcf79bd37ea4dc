"""The judgement of one connection by all ends of its first packet: served, refused by its Service's rules, or lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from ipt_explain.analyzers.fates.deciding import (
    Deciders,
    decisive,
    loss_of,
    perhaps_led_away,
    refused,
    shortening,
)
from ipt_explain.netfilter.assumptions import Answers
from ipt_explain.netfilter.condition import named
from ipt_explain.netfilter.nat import destination_text
from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.probability import Probability
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.chains.portions import Portions
from ipt_explain.netfilter.walk.ends import Finish, StoppedReply
from ipt_explain.netfilter.walk.journey import NO_HOPS_LEFT
from ipt_explain.netfilter.walk.packets import Packets
from ipt_explain.netfilter.walk.path import AnyStep
from ipt_explain.records import dataclass
from ipt_explain.services.fates import NAT_NOT_SHOWN, CutOff, Decider, Fate, Loss, Lost

JudgedEnd = tuple[Finish, Packets, int]
"""How some connections end: the packets' row among those that end so."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One way for a Service's connections to end."""

    served: bool = False
    refused: bool = False
    enforced: bool = False
    loss: Loss | None = None
    verdict: str = ""
    dnat: str | None = None
    decider: Decider | None = None
    why: str = ""

    @property
    def arrives(self) -> bool:
        """Whether connections reach an endpoint of their Service."""
        return self.served or self.loss is Loss.UNANSWERED


_SERVED = _Part(served=True)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The fate of one frontend's connections, and the share that each endpoint receives; None if that is open."""

    fate: Fate
    arrivals: Mapping[Heading, float | None]

    def shares_of(self, endpoints: Sequence[Heading | None]) -> list[float | None]:
        """What endpoints receive; None also if some connections meet rules that the text lacks."""
        nothing = None if self.fate.has_unknown else 0.0
        known = cast("Mapping[Heading | None, float | None]", self.arrivals)
        return [known.get(endpoint, nothing) for endpoint in endpoints] if known else [nothing] * len(endpoints)


class Scales:
    """Weighs ends by the Services' endpoints, and by whether their own rules refuse.

    Endpoints on host networks are `perhaps_here`: they may be on the node itself, where packets are not masqueraded on
    the way out. `shown_whole`: the text has all rules that may masquerade; `drops_shown`: all that may drop packets
    marked for it; `filter_shown`: some of the filter table; `dnat_shown`: all nftables rules that may translate
    destinations.
    """

    def __init__(
        self, deciders: Deciders, perhaps_here: frozenset[Heading], shown_whole: bool, drops_shown: bool,
        filter_shown: bool, dnat_shown: bool,
    ) -> None:
        self._deciders = deciders
        self.perhaps_here = perhaps_here
        self.shown_whole = shown_whole
        self._drops_shown = drops_shown
        self._filter_shown = filter_shown
        self._dnat_shown = dnat_shown
        self._known: dict[tuple[_Part, frozenset[Heading]], Judgement] = {}

    def are_alike(self, finish: Finish, packets: Packets) -> bool:
        """Whether all of these packets are lost alike, whoever sent them: one rule stops what has been translated."""
        stopped = finish.verdict in (Verdict.DROP, Verdict.REJECT) and finish.state.dnat and not finish.reason
        return self.shown_whole and stopped and packets.met_one_rule()

    def weigh(
        self, ends: Sequence[JudgedEnd], sent: Heading, endpoints: frozenset[Heading], may_refuse: bool
    ) -> Judgement:
        """The judgement of all ends of one connection's first packet; where it was sent."""
        judged = [self._part(*end, endpoints, may_refuse) for end in ends]
        bound = [packets.to[row] for _, packets, row in ends]
        unclear = frozenset([to for part, to in zip(judged, bound) if part.loss is Loss.UNKNOWN and to in endpoints])
        if judged[0].arrives or judged.count(judged[0]) < len(judged):
            answers = [named(finish.state, sent).answers for finish, _, _ in ends]
            return self._weighed(ends, judged, answers, unclear)
        alike = judged[0], unclear
        if alike not in self._known:
            self._known[alike] = self._weighed(ends, judged, [()] * len(ends), unclear)  # whatever has been assumed
        return self._known[alike]

    def _weighed(
        self, ends: Sequence[JudgedEnd], judged: Sequence[_Part], assumed: Sequence[Answers],
        unclear: frozenset[Heading],
    ) -> Judgement:  # fmt: skip
        parts: Portions[tuple[_Part, Answers], None] = Portions()
        sources: Portions[tuple[bool, Answers], None] = Portions()
        arrivals: Portions[tuple[Heading, Answers], None] = Portions()
        for (finish, packets, row), part, answers in zip(ends, judged, assumed):
            to, share = packets.to[row], packets.shares[row]
            parts.gather((part, answers), share, None)
            if part.arrives:
                sources.gather((finish.state.source_decided, answers), share, None)
                if to in self.perhaps_here:
                    sources.gather((False, answers), share, None)
                arrivals.gather((to, answers), share, None)
        for portions in (parts, sources, arrivals):
            _forget_idle(portions)
        questions = dict.fromkeys(question for (_, answers) in parts for question in _questions(answers))
        masqueraded = {snat for snat, _ in sources}
        certain = not any(answers for _, answers in sources) and (self.shown_whole or False not in masqueraded)
        losses = [
            Lost(
                float(portion.share), part.loss, part.verdict, part.dnat, part.decider, part.why, answers
            )
            for (part, answers), portion in parts.items()
            if part.loss is not None and part.decider is not None
        ]
        certain = certain and not any(lost.how is Loss.UNKNOWN for lost in losses)
        fate = Fate(
            served=None if questions else _sum(portion.share for (part, _), portion in parts.items() if part.served),
            refused=None if questions else _sum(portion.share for (part, _), portion in parts.items() if part.refused),
            enforced=self._enforced([part for part, _ in parts]),
            masqueraded=masqueraded.pop() if len(masqueraded) == 1 and certain else None,
            open=tuple(questions),
            lost=tuple([lost for lost in losses if not lost.when]),
            perhaps=tuple([lost for lost in losses if lost.when]),
        )
        return Judgement(fate, {**_arrivals(arrivals), **dict.fromkeys(unclear)})

    def _enforced(self, parts: Sequence[_Part]) -> bool | None:
        """Whether refused packets are really dropped; None if that depends on filter rules that the text lacks."""
        refusals = [part for part in parts if part.refused]
        enforced = all(part.enforced for part in refusals)
        unsure = not enforced or any(part.loss is Loss.UNKNOWN for part in parts)
        return None if not refusals or (unsure and not self._drops_shown) else enforced

    def _part(
        self, finish: Finish, packets: Packets, row: int, endpoints: frozenset[Heading], may_refuse: bool
    ) -> _Part:
        state, verdict, to = finish.state, finish.verdict, packets.to[row]
        if verdict is Verdict.ACCEPT and state.dnat and to in endpoints:
            return _SERVED if finish.reply is None else self._unanswered(finish.reply)
        path = packets.path(row)
        # The last step alone explains why a translated packet is stopped; the whole path is slow to write out.
        stopped = verdict is not Verdict.ACCEPT and state.dnat and finish.reason != NO_HOPS_LEFT
        last = path.last() if path is not None and stopped else None
        steps: Sequence[AnyStep] = () if path is None else path.steps() if last is None else (last,)
        if may_refuse and refused(verdict, state, steps):
            return _Part(refused=True, enforced=verdict is not Verdict.ACCEPT)
        if verdict is Verdict.UNKNOWN and steps and self._deciders.leads_to_endpoint(steps[-1]):
            return _SERVED
        step = shortening(steps) if finish.reason == NO_HOPS_LEFT else decisive(verdict, state, steps)
        decider = self._deciders.of(step, state)
        diverted = verdict is Verdict.ACCEPT and state.dnat
        dnat = destination_text(to, state.connection.family) if diverted else None
        loss, why = loss_of(verdict, state, step, decider, finish.reason, dnat)
        if loss is Loss.UNTRANSLATED and may_refuse and not self._filter_shown:
            # Since 1.25, filter refuses what nat does not lead to an endpoint.
            loss, why = Loss.UNKNOWN, _FILTER_NOT_SHOWN
        hidden = (loss is Loss.UNTRANSLATED and not self._dnat_shown) or (
            loss is Loss.DROPPED and not self.shown_whole and path is not None and perhaps_led_away(path.steps())
        )
        if hidden:
            loss, why = Loss.UNKNOWN, NAT_NOT_SHOWN
        return _Part(loss=loss, verdict=verdict.value, dnat=dnat, decider=decider, why=why)

    def _unanswered(self, reply: StoppedReply) -> _Part:
        """What reaches an endpoint that cannot answer. The kernel accepts it."""
        decider = self._deciders.of(reply.step, reply.state)
        why = _CUT_OFF[reply.is_reply, reply.verdict]
        return _Part(loss=Loss.UNANSWERED, verdict=Verdict.ACCEPT.value, decider=decider, why=why.value)


_CUT_OFF = {
    (True, Verdict.DROP): CutOff.REPLIES_DROPPED,
    (True, Verdict.REJECT): CutOff.REPLIES_REJECTED,
    (True, Verdict.ACCEPT): CutOff.REPLIES_UNRECOGNISED,
    (False, Verdict.DROP): CutOff.LATER_DROPPED,
    (False, Verdict.REJECT): CutOff.LATER_REJECTED,
    (False, Verdict.ACCEPT): CutOff.LATER_UNRECOGNISED,
}
_FILTER_NOT_SHOWN = "the rules of filter that may refuse it, which this input does not show"


def _questions(answers: Answers) -> tuple[str, ...]:
    return tuple([each.question for each in answers])


def _forget_idle(portions: Portions) -> None:  # type: ignore[type-arg]  # keys end in their answers
    portions.forget_idle_answers(lambda key: key[-1], lambda key, answers: (*key[:-1], answers))


def _sum(shares: Iterable[Probability]) -> float:
    return float(sum(shares))


def _arrivals(portions: Portions[tuple[Heading, Answers], None]) -> Mapping[Heading, float | None]:
    found: dict[Heading, float | None] = {}
    for (endpoint, answers), portion in portions.items():
        if answers or found.get(endpoint, 0.0) is None:
            found[endpoint] = None
        else:
            found[endpoint] = float(portion.share)
    return found
