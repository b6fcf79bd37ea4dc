"""What ends of packets mean to the Service that they were sent to: served, refused by its own rules, or lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ipt_explain.analyzers.names import (
    EXTERNAL_SERVICES,
    FIREWALL,
    MARK_DROP,
    PROXY_FIREWALL,
    SERVICES,
    ChainRole,
    role_of,
)
from ipt_explain.analyzers.owners.owner import owner_of, owner_of_rule
from ipt_explain.model import Chain, Ruleset
from ipt_explain.netfilter.condition import worded
from ipt_explain.netfilter.hooks import DESTINATION_NAT, Hook
from ipt_explain.netfilter.nat.targets import destination_text
from ipt_explain.netfilter.packet import Answers, Heading, PacketState, Tracking
from ipt_explain.netfilter.probability import Probability
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.backends.ipvs_path import IpvsStep
from ipt_explain.netfilter.walk.backends.nft_path import NftStep
from ipt_explain.netfilter.walk.flock import Flock
from ipt_explain.netfilter.walk.journey import Finish
from ipt_explain.netfilter.walk.path import AnyStep, Step
from ipt_explain.netfilter.walk.portions import Portions
from ipt_explain.records import dataclass
from ipt_explain.services.fates import Decider, Fate, Loss, Lost

# kube-proxy's own refusals in the filter table.
_REFUSING = frozenset({SERVICES, EXTERNAL_SERVICES, PROXY_FIREWALL})
_MARKING = frozenset({"MARK", "CONNMARK"})
_BUILT_IN = frozenset(hook.value for hook in Hook)
# kube-proxy's tables of nftables: what they refuse, it does.
_PROXY_TABLES = frozenset({"ip kube-proxy", "ip6 kube-proxy"})
# Neighbours that answer Service addresses themselves, which is their work.
_ANSWERING = frozenset({"node-local-dns", "Istio", "Linkerd"})


@dataclass(frozen=True, slots=True, eq=False)
class End:
    """How some connections end."""

    finish: Finish
    to: Heading
    share: Probability
    flock: Flock
    row: int


@dataclass(frozen=True, slots=True)
class _Part:
    """One way for connections to end, as far as the Service is concerned."""

    served: bool = False
    refused: bool = False
    enforced: bool = False
    loss: Loss | None = None
    verdict: str = ""
    dnat: str | None = None
    decider: Decider | None = None
    why: str = ""


_SERVED = _Part(served=True)
# All is served: (some keep their source, some are masqueraded).
_WHOLE = {
    (1, 0): Fate(1.0, 0.0, None, False),
    (0, 1): Fate(1.0, 0.0, None, True),
    (1, 1): Fate(1.0, 0.0, None, None),
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The fate of one frontend's connections, and the share that each endpoint receives; None where it is open."""

    fate: Fate
    arrivals: Mapping[Heading, float | None]


class Judge:
    """Judges ends by what the Services are: their endpoints, and whether their own rules refuse.

    Endpoints on host networks are `perhaps_here`: on the node itself, where nothing on the way out is masqueraded.
    `others_at` is the number of what is judged with the rulesets: nftables, or IPVS.
    """

    def __init__(self, rulesets: Sequence[Ruleset], perhaps_here: frozenset[Heading], others_at: int = 0) -> None:
        self._rulesets = rulesets
        self._perhaps_here = perhaps_here
        self._others_at = others_at

    def judge(
        self,
        ends: Sequence[tuple[Finish, Flock]],
        endpoints: Sequence[frozenset[Heading]],
        may_refuse: Sequence[bool],
        counted: bool,
    ) -> list[Judgement]:
        """What the ends of a crowd's packets come to, for each that set out: `endpoints` are those of its Service.

        With `counted`, also how much arrives at each.

        Most are served whole, whatever is not known: those are told apart first, column by column.
        """
        count = len(endpoints)
        arrivals: list[dict[Heading, float | None]] = [{} for _ in range(count)]
        kept = [0] * count
        masqueraded = [0] * count
        others: set[int] = set()
        for finish, flock in ends:
            state = finish.state
            if finish.verdict is not Verdict.ACCEPT or not state.dnat or state.answers:
                others.update(flock.who)
                continue
            sources, perhaps_here = masqueraded if state.snat else kept, self._perhaps_here
            for who, to in zip(flock.who, flock.to):
                if to in endpoints[who]:
                    sources[who] = 1
                    if to in perhaps_here:
                        kept[who] = 1
                else:
                    others.add(who)
            if not counted:
                continue
            distinct = {id(share): share for share in flock.shares}
            floats = {key: float(share) for key, share in distinct.items()}
            for who, to, share in zip(flock.who, flock.to, flock.shares):
                arrived = arrivals[who]
                arrived[to] = (arrived.get(to) or 0.0) + floats[id(share)]
        gathered: dict[int, list[End]] = {who: [] for who in others}
        for finish, flock in ends if others else ():
            for row, (who, to, share) in enumerate(zip(flock.who, flock.to, flock.shares)):
                if who in gathered:
                    gathered[who].append(End(finish, to, share, flock, row))
        return [
            self._weigh(gathered[who], endpoints[who], may_refuse[who])
            if who in gathered
            else Judgement(_WHOLE[kept[who], masqueraded[who]], arrivals[who])
            for who in range(count)
        ]

    def _weigh(self, ends: Iterable[End], endpoints: frozenset[Heading], may_refuse: bool) -> Judgement:
        """What all ends of one connection's first packets come to."""
        parts: Portions[tuple[_Part, Answers], None] = Portions()
        sources: Portions[tuple[bool, Answers], None] = Portions()
        arrivals: Portions[tuple[Heading, Answers], None] = Portions()
        for end in ends:
            state = end.finish.state
            part = self._part(end, endpoints, may_refuse)
            parts.gather((part, state.answers), end.share, None)
            if part.served:
                sources.gather((state.snat, state.answers), end.share, None)
                if end.to in self._perhaps_here:
                    sources.gather((False, state.answers), end.share, None)
                arrivals.gather((end.to, state.answers), end.share, None)
        for portions in (parts, sources, arrivals):
            _forget_idle(portions)
        questions = dict.fromkeys(question for (_, answers) in parts for question in _questions(answers))
        masqueraded = {snat for snat, _ in sources}
        certain = not any(answers for _, answers in sources)
        losses = [
            Lost(float(portion.share), part.loss, part.verdict, part.dnat, part.decider, part.why, _assumed(answers))
            for (part, answers), portion in parts.items()
            if part.loss is not None and part.decider is not None
        ]
        fate = Fate(
            served=None if questions else _sum(portion.share for (part, _), portion in parts.items() if part.served),
            refused=None if questions else _sum(portion.share for (part, _), portion in parts.items() if part.refused),
            enforced=_enforced([part for part, _ in parts if part.refused]),
            masqueraded=masqueraded.pop() if len(masqueraded) == 1 and certain else None,
            open=tuple(questions),
            lost=tuple([lost for lost in losses if not lost.when]),
            perhaps=tuple([lost for lost in losses if lost.when]),
        )
        return Judgement(fate, _arrivals(arrivals))

    def _part(self, end: End, endpoints: frozenset[Heading], may_refuse: bool) -> _Part:
        finish, to = end.finish, end.to
        state, verdict = finish.state, finish.verdict
        if verdict is Verdict.ACCEPT and state.dnat and to in endpoints:
            return _SERVED
        path = end.flock.path(end.row)
        steps = path.steps() if path is not None else ()
        if may_refuse and self._refused(verdict, state, steps):
            return _Part(refused=True, enforced=verdict is not Verdict.ACCEPT)
        if verdict is Verdict.UNKNOWN and steps and self._leads_to_endpoint(steps[-1]):
            return _SERVED
        step = _decisive(verdict, state, steps)
        decider = self._decider(step, state)
        sent = destination_text(to, state.connection.family)
        dnat = sent if verdict is Verdict.ACCEPT and state.dnat else None
        loss, why = _loss(verdict, state, step, decider, finish.reason, sent)
        return _Part(loss=loss, verdict=verdict.value, dnat=dnat, decider=decider, why=why)

    def _refused(self, verdict: Verdict, state: PacketState, steps: Sequence[AnyStep]) -> bool:
        """Whether the Service's own rules decline the packet: kube-proxy's refusals, or its mark for dropping."""
        if state.dnat:
            return False
        if verdict in (Verdict.DROP, Verdict.REJECT) and steps:
            last = steps[-1]
            chain = last.chain.name
            if not isinstance(last, Step):
                return isinstance(last, IpvsStep) or last.table in _PROXY_TABLES
            if steps[-1].table == "filter" and chain in _REFUSING:
                return True
            if chain != FIREWALL:
                return False
        elif verdict is not Verdict.ACCEPT:
            return False
        return any(step.into is not None and step.into.name == MARK_DROP for step in steps)

    def _leads_to_endpoint(self, step: AnyStep) -> bool:
        """Whether a packet goes to an endpoint's chain that a fragment does not show: it is supposed to do its work."""
        if not isinstance(step, Step):
            return False
        target = step.rule.target if step.rule is not None else None
        if target is None or role_of(target) is not ChainRole.ENDPOINT:
            return False
        return any(each.fragment and each.chain(step.table, step.chain.name) is step.chain for each in self._rulesets)

    def _decider(self, step: AnyStep | None, state: PacketState) -> Decider:
        """The step's rule, or the chain that lets packets pass where that decides."""
        if step is None:
            return self._passed_by(Hook.OUTPUT if state.connection.local else Hook.PREROUTING, state)
        if not isinstance(step, Step):
            proxy = isinstance(step, IpvsStep) or step.table in _PROXY_TABLES
            owner_name = "kube-proxy" if proxy else None
            return Decider(self._others_at, step.table, step.chain.name, step.line, step.text, owner_name)
        table, chain, rule = step.table, step.chain, step.rule
        line, text = step.line, step.text
        if rule is not None and step.into is not None and step.after is not None:
            chain, rule = step.into, None
            line, text = chain.line, f":{chain.name} -"
        number = next((at for at, each in enumerate(self._rulesets) if each.chain(table, chain.name) is chain), 0)
        owner = owner_of(chain.name, chain.rules[:8], table)
        if rule is not None and (owner is None or chain.name in _BUILT_IN):
            owner = owner_of_rule(rule, table)
        return Decider(number, table, chain.name, line, text, None if owner is None else owner.name)

    def _passed_by(self, hook: Hook, state: PacketState) -> Decider:
        """nat's built-in chain, of which no rule does anything for a packet."""
        family = state.connection.family
        ours = [(number, each) for number, each in enumerate(self._rulesets) if each.family is family]
        for number, ruleset in ours:
            chain = ruleset.chain("nat", hook.value)
            if chain is not None:
                return Decider(number, "nat", hook.value, chain.line, f":{chain.name} {chain.policy or 'ACCEPT'}")
        return Decider(ours[0][0] if ours else 0, "nat", hook.value, None, "")


def _decisive(verdict: Verdict, state: PacketState, steps: Sequence[AnyStep]) -> AnyStep | None:
    """The step that settles where the packet ends; None where no rule does."""
    if verdict is not Verdict.ACCEPT:
        return steps[-1] if steps else None
    if not state.dnat and state.tracking is Tracking.UNTRACKED:
        for step in steps:
            if step.after is not None and step.after.tracking is Tracking.UNTRACKED and step.into is None:
                return step
    other = next((step for step in reversed(steps) if not isinstance(step, Step) and _translates(step)), None)
    if other is not None:
        return other
    translating = [
        step
        for step in steps
        if isinstance(step, Step) and step.table == "nat" and step.before.hook in DESTINATION_NAT
    ]
    through: Step | None = None
    for step in reversed(translating):
        if step.rule is None or step.after is None:
            continue
        if step.into is None:
            if step.rule.target not in _MARKING:
                return step
        elif (through is None or step.depth > through.depth) and not _only_marks(step.into):
            through = step
    return through


def _only_marks(chain: Chain) -> bool:
    shapes = chain.layout.shapes
    return bool(shapes) and all(shape.target is not None and shape.target.name in _MARKING for shape in shapes)


def _translates(step: NftStep | IpvsStep) -> bool:
    return step.after is not None and step.after.destination_decided > step.before.destination_decided


def _loss(
    verdict: Verdict, state: PacketState, step: AnyStep | None, decider: Decider, reason: str, sent: str
) -> tuple[Loss, str]:
    if verdict is Verdict.DROP:
        return Loss.DROPPED, "dropped"
    if verdict is Verdict.REJECT:
        return Loss.REJECTED, "rejected"
    if verdict is Verdict.UNKNOWN:
        return Loss.UNKNOWN, reason
    if decider.owner in _ANSWERING:
        return Loss.INTERCEPTED, f"{decider.owner} answers it"
    if state.dnat:
        return Loss.DIVERTED, f"sent to {sent}"
    if state.tracking is Tracking.UNTRACKED:
        return Loss.UNTRANSLATED, "not tracked, so nat never sees it"
    if step is None or step.rule is None:
        return Loss.UNTRANSLATED, "no rule translates its destination"
    if step.into is not None:
        return Loss.UNTRANSLATED, f"{step.into.name} lets it through with no endpoint chosen"
    if not isinstance(step, Step):
        return Loss.UNTRANSLATED, "no rule translates its destination"
    return Loss.UNTRANSLATED, f"{step.rule.target or 'it'} ends its way before its destination is translated"


def _questions(answers: Answers) -> tuple[str, ...]:
    return tuple(worded(literals) for literals, _ in answers)


def _assumed(answers: Answers) -> tuple[str, ...]:
    """What holds, in words: `-i eth0`, `not -i eth0`, `not (-i eth0 and -o eth1)`."""
    return tuple([_said(worded(literals), len(literals), hold) for literals, hold in answers])


def _said(text: str, count: int, hold: bool) -> str:
    if hold:
        return text
    return f"not {text}" if count == 1 else f"not ({text})"


def _forget_idle(portions: Portions) -> None:  # type: ignore[type-arg]  # keys end in their answers
    portions.forget_idle_answers(lambda key: key[-1], lambda key, answers: (*key[:-1], answers))


def _sum(shares: Iterable[Probability]) -> float:
    return float(sum(shares))


def _enforced(refusals: Sequence[_Part]) -> bool | None:
    return all(part.enforced for part in refusals) if refusals else None


def _arrivals(portions: Portions[tuple[Heading, Answers], None]) -> Mapping[Heading, float | None]:
    found: dict[Heading, float | None] = {}
    for (endpoint, answers), portion in portions.items():
        if answers or found.get(endpoint, 0.0) is None:
            found[endpoint] = None
        else:
            found[endpoint] = float(portion.share)
    return found
