"""The judgement of one connection by all ends of its first packet: served, refused by its Service's rules, or lost."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import count

from ipt_explain.analyzers.fates.deciding import (
    Deciders,
    loss_of,
    perhaps_led_away,
    refused,
    refuses,
    shortening,
)
from ipt_explain.netfilter.assumptions import Answers, Assumption
from ipt_explain.netfilter.naming import asks_of_bound, numbered, with_named_bound
from ipt_explain.netfilter.nat import destination_text
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import Probability
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.chains.portions import Portions
from ipt_explain.netfilter.walk.ends import Finish, StoppedReply
from ipt_explain.netfilter.walk.journey import NO_HOPS_LEFT
from ipt_explain.netfilter.walk.packets import Packets
from ipt_explain.netfilter.walk.path import AnyStep
from ipt_explain.records import NamedTuple, Record, replace
from ipt_explain.services.fates import (
    ACCEPTED_FIRST,
    FILTER_NOT_SHOWN,
    NAT_NOT_SHOWN,
    CutOff,
    Decider,
    Fate,
    Loss,
    Lost,
)
from ipt_explain.services.ports import Refusal

End = tuple[Finish, Packets]


class ConnectionEnd(Record, eq=False):
    """One way in which a Service's connections may end. Equal ones are one object."""

    loss: Loss | None = None
    verdict: str = ""
    dnat: str | None = None
    decider: Decider | None = None
    why: str = ""
    served: bool = False
    refused: bool = False
    enforced: bool = False

    @property
    def arrives(self) -> bool:
        """Whether connections reach an endpoint of their Service."""
        return self.served or self.loss is Loss.UNANSWERED


_SERVED = ConnectionEnd(served=True)
_REFUSED = {enforced: ConnectionEnd(refused=True, enforced=enforced) for enforced in (False, True)}


class JudgedEnd(NamedTuple):
    """How some connections end: at which of a crowd's ends, which part of it they are, their share, the endpoint of
    their Service that they go to, if any, and whether that may be on the node itself.

    `stray`: where else they go, if that matters to a question.
    """

    number: int
    part: ConnectionEnd
    share: Probability
    place: int | None
    perhaps_here: bool
    stray: Heading | None = None


class WeighedFate(Record):
    """The fate of one frontend's connections, and each endpoint's share of them, in the order of its Service's
    endpoints; None if that is open. `asked` is what the fate depends on."""

    fate: Fate
    asked: tuple[Assumption, ...]
    arrivals: Mapping[int | None, float | None]

    def shares_of(self, endpoints: Sequence[Heading | None]) -> list[float | None]:
        """What endpoints receive; None also if some connections meet rules that the text lacks."""
        nothing = None if self.fate.has_unknown else 0.0
        places = dict(zip(endpoints, count()))
        return [self.arrivals.get(places[endpoint], nothing) for endpoint in endpoints]

    def named(self, names: Mapping[str, str]) -> WeighedFate:
        """The same with its questions reworded."""
        questions = dict.fromkeys(each.naming(names).question for each in self.asked)
        perhaps = [
            replace(lost, when=tuple([each.naming(names) for each in lost.when])) for lost in self.fate.perhaps
        ]
        return replace(self, fate=replace(self.fate, open=tuple(questions), perhaps=tuple(perhaps)))


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
        self.deciders = deciders
        self.perhaps_here = perhaps_here
        self._shown_whole = shown_whole
        self._drops_shown = drops_shown
        self._filter_shown = filter_shown
        self._dnat_shown = dnat_shown
        self._parts: dict[Hashable, ConnectionEnd] = {}

    def common_part(self, finish: Finish, packets: Packets, refusal: Refusal) -> ConnectionEnd | None:
        """How all of these packets end, whoever sent them: one rule stops packets that were translated, or one chain of
        kube-proxy's refuses those that were not. None if they must be looked up one by one."""
        met = packets.arrival
        if finish.verdict not in (Verdict.DROP, Verdict.REJECT) or finish.reason or met is None:
            return None
        if finish.state.dnat:
            alike = self._shown_whole and met.by_one_rule
            return self.part(finish, packets, 0, False, refusal) if alike else None
        path = packets.path(0) if refusal is not Refusal.OF_NONE and met.in_one_chain else None
        last = None if path is None else path.last()
        return _REFUSED[True] if last is not None and refuses(last) else None

    def weigh(self, ends: Sequence[End], judged: Sequence[JudgedEnd]) -> WeighedFate:
        """The judgement of all ends of one connection's first packet. Questions do not have names filled in yet."""
        first = judged[0].part
        lost_alike = not first.arrives and all(end.part is first for end in judged)  # whatever has been assumed
        parts: Portions[tuple[ConnectionEnd, Answers], None] = Portions()
        sources: Portions[tuple[bool, Answers], None] = Portions()
        arrivals: Portions[tuple[int | None, Answers], None] = Portions()
        for end in judged:
            state, part, share = ends[end.number][0].state, end.part, end.share
            answers = () if lost_alike or not state.answers else _own_answers(state, end)
            parts.gather((part, answers), share, None)
            if part.arrives:
                sources.gather((state.source_decided, answers), share, None)
                if end.perhaps_here:
                    sources.gather((False, answers), share, None)
                arrivals.gather((end.place, answers), share, None)
        for portions in (parts, sources, arrivals):
            _forget_idle(portions)
        asked = dict.fromkeys(each for _, answers in parts for each in answers)
        masqueraded = {snat for snat, _ in sources}
        certain = not any(answers for _, answers in sources) and (self._shown_whole or False not in masqueraded)
        losses = [
            Lost(float(portion.share), part.loss, part.verdict, part.dnat, part.decider, part.why, answers)
            for (part, answers), portion in parts.items()
            if part.loss is not None and part.decider is not None
        ]
        certain = certain and not any(lost.how is Loss.UNKNOWN for lost in losses)
        fate = Fate(
            served=None if asked else _sum(portion.share for (part, _), portion in parts.items() if part.served),
            refused=None if asked else _sum(portion.share for (part, _), portion in parts.items() if part.refused),
            enforced=self._enforced([part for part, _ in parts]),
            masqueraded=masqueraded.pop() if len(masqueraded) == 1 and certain else None,
            lost=tuple([lost for lost in losses if not lost.when]),
            perhaps=tuple([lost for lost in losses if lost.when]),
        )
        unclear = [end.place for end in judged if end.part.loss is Loss.UNKNOWN]
        return WeighedFate(fate, tuple(asked), _arrivals(arrivals) | dict.fromkeys(unclear))

    def _enforced(self, parts: Sequence[ConnectionEnd]) -> bool | None:
        """Whether refused packets are really dropped; None if that depends on filter rules that the text lacks."""
        refusals = [part for part in parts if part.refused]
        enforced = all(part.enforced for part in refusals)
        unsure = not enforced or any(part.loss is Loss.UNKNOWN for part in parts)
        return None if not refusals or (unsure and not self._drops_shown) else enforced

    def part(self, finish: Finish, packets: Packets, row: int, arrives: bool, refusal: Refusal) -> ConnectionEnd:
        """How a packet ends; `arrives`: it goes to an endpoint of its Service."""
        state, verdict = finish.state, finish.verdict
        if verdict is Verdict.ACCEPT and state.dnat and arrives:
            return _SERVED if finish.reply is None else self._unanswered(finish.reply)
        path = packets.path(row)
        if refusal is not Refusal.OF_NONE and refused(finish, path):
            return _REFUSED[verdict is not Verdict.ACCEPT]
        # The last step alone explains why a translated packet is stopped; the whole path is slow to write out.
        stopped = verdict is not Verdict.ACCEPT and state.dnat and finish.reason != NO_HOPS_LEFT
        last = path.last_met() if path is not None and stopped else None
        steps: Sequence[AnyStep] = () if path is None else path.steps() if last is None else (last,)
        if verdict is Verdict.UNKNOWN and steps and self.deciders.leads_to_endpoint(steps[-1]):
            return _SERVED
        step = shortening(steps) if finish.reason == NO_HOPS_LEFT else self.deciders.decisive(verdict, state, steps)
        decider = self.deciders.of(step, state)
        diverted = verdict is Verdict.ACCEPT and state.dnat
        dnat = destination_text(packets.to[row], state.connection.family) if diverted else None
        loss, why = loss_of(finish, step, decider, dnat)
        if loss is Loss.UNTRANSLATED and refusal is Refusal.OF_ALL:
            accepting = self.deciders.accepting(steps)
            if accepting is not None:
                decider, why = self.deciders.of(accepting, state), ACCEPTED_FIRST
        if loss is Loss.UNTRANSLATED and refusal is not Refusal.OF_NONE and not self._filter_shown:
            # Since 1.25, filter refuses what nat does not send to an endpoint.
            loss, why = Loss.UNKNOWN, FILTER_NOT_SHOWN
        hidden = (loss is Loss.UNTRANSLATED and not self._dnat_shown) or (
            loss is Loss.DROPPED and not self._shown_whole and path is not None and perhaps_led_away(path.steps())
        )
        if hidden:
            loss, why = Loss.UNKNOWN, NAT_NOT_SHOWN
        return self._lost(loss, verdict.value, dnat, decider, why)

    def _lost(self, *told: Loss | str | Decider | None) -> ConnectionEnd:
        if told not in self._parts:
            self._parts[told] = ConnectionEnd(*told)  # type: ignore[arg-type]
        return self._parts[told]

    def _unanswered(self, reply: StoppedReply) -> ConnectionEnd:
        """What reaches an endpoint that cannot answer, although the kernel accepts it."""
        decider = self.deciders.of(reply.step, reply.state)
        why = _CUT_OFF[reply.is_reply, reply.verdict]
        return self._lost(Loss.UNANSWERED, Verdict.ACCEPT.value, None, decider, why.value)


def _own_answers(state: PacketState, end: JudgedEnd) -> Answers:
    """What some connections assume, with their own destination named."""
    if not asks_of_bound(state.answers):
        return state.answers
    if end.place is not None:
        return numbered(state.answers, end.place)
    return state.answers if end.stray is None else with_named_bound(state, end.stray).answers


_CUT_OFF = {
    (True, Verdict.DROP): CutOff.REPLIES_DROPPED,
    (True, Verdict.REJECT): CutOff.REPLIES_REJECTED,
    (True, Verdict.ACCEPT): CutOff.REPLIES_UNRECOGNISED,
    (False, Verdict.DROP): CutOff.LATER_DROPPED,
    (False, Verdict.REJECT): CutOff.LATER_REJECTED,
    (False, Verdict.ACCEPT): CutOff.LATER_UNRECOGNISED,
}


def _forget_idle(portions: Portions) -> None:  # type: ignore[type-arg]  # keys end in their answers
    portions.forget_idle_answers(lambda key: key[-1], lambda key, answers: (*key[:-1], answers))


def _sum(shares: Iterable[Probability]) -> float:
    return float(sum(shares))


def _arrivals(portions: Portions[tuple[int | None, Answers], None]) -> dict[int | None, float | None]:
    found: dict[int | None, float | None] = {}
    for (endpoint, answers), portion in portions.items():
        if answers or found.get(endpoint, 0.0) is None:
            found[endpoint] = None
        else:
            found[endpoint] = float(portion.share)
    return found
