"""All balancing chains (KUBE-SVC, KUBE-SVL, KUBE-XLB) of a ruleset at a glance, and those that do not spread evenly.

Nearly all are as kube-proxy writes them: every endpoint once, each rule with an even share of the remaining endpoints,
the last without condition. The form of the rules and a list of texts show this; only other chains are taken apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, repeat
from operator import itemgetter, lt
from typing import TypeAlias

from ipt_explain.analyzers.iptables.plans import Plans, RulePlan
from ipt_explain.analyzers.names import MARK_DROP, MARK_MASQ, ChainRole, hash_of, role_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.balancing.endpoint_chains import EndpointChains, endpoint_chains
from ipt_explain.audit.evidence.balancing.even_shares import Digits, EvenShares
from ipt_explain.audit.fact import fact
from ipt_explain.model import Chain, Layout, Rule
from ipt_explain.model.by_shape import SameLayout
from ipt_explain.netfilter.header.protocols import usual_name
from ipt_explain.netfilter.probability import taken
from ipt_explain.records import dataclass

_BALANCERS = (ChainRole.SERVICE, ChainRole.LOCAL, ChainRole.LOCAL_EXTERNAL)
_ENDPOINT = ChainRole.ENDPOINT.value
_GRAIN = 1e-6


@dataclass(frozen=True, slots=True)
class Draw:
    """A rule that leads a share of new connections to an endpoint, or to what is in an endpoint's place.

    `chance` is its own, `share` its part of all connections; `even` if the chance is right for the number of choices
    that remain. `destination` is the endpoint's `ip:port`, or the target if the text does not show it.
    """

    rule: Rule
    target: str
    destination: str
    chance: float
    share: float
    even: bool


@dataclass(frozen=True, slots=True)
class OddChain:
    """A chain that does not spread connections as kube-proxy writes it.

    `leak` is the share that no choice takes, `ending` a rule before the choices that ends the chain. `counting` are
    rules that choose by count instead of chance, `strange` those that lead to no endpoint chain. `partial`: the rules
    shown may be part of an even chain.
    """

    chain: Chain
    choices: tuple[Draw, ...]
    leak: float
    ending: Rule | None
    counting: tuple[Rule, ...]
    strange: tuple[Rule, ...]
    partial: bool


@dataclass(frozen=True, slots=True)
class BalancingChains:
    """All that is known about them. `targets` are the endpoint chains of each, in the order of the rules, and
    `destinations` where these lead (`ip:port`, "" if the text does not show it); `affinity` the chains that look up
    returning clients; `unordered` those whose endpoints are not in kube-proxy's order; `written` a chain for each
    number of digits that no other number explains."""

    targets: Mapping[str, Sequence[str]]
    destinations: Mapping[str, Sequence[str]]
    odd: tuple[OddChain, ...]
    empty: tuple[Chain, ...]
    affinity: tuple[Chain, ...]
    unordered: tuple[Chain, ...]
    written: Mapping[Digits, Chain]


@dataclass(frozen=True, slots=True)
class _Form:
    """Where the choices of a chain are in `Chain.values`, for all chains of one layout: their targets, and the
    probabilities of those that have one. `regular`: each but the last has one."""

    choices: tuple[int, ...]
    chances: tuple[int, ...]
    regular: bool
    affinity: bool


# The chain's place in the table, the chain, its form, its choices' targets and probabilities, where they lead, and
# whether all chains of this layout lead to different endpoints in kube-proxy's order.
_Row: TypeAlias = tuple[int, Chain, _Form, tuple[str, ...], tuple[str, ...], tuple[str, ...], bool]


@fact
def balancing_chains(context: RulesetContext) -> BalancingChains:
    """The balancing chains, and which of them are odd."""
    return _Survey(context).read()


class _Survey:
    def __init__(self, context: RulesetContext) -> None:
        nat = context.table("nat")
        self._deleted = frozenset() if nat is None else nat.deleted
        self._groups = [alike for role in _BALANCERS for alike in context.hashed[role].values()]
        self._endpoints: EndpointChains = endpoint_chains(context)
        self._plans: Plans = self._endpoints.plans
        self._shares = EvenShares()
        self._texts: dict[tuple[str, ...], bool] = {}
        self._written: dict[Digits, Chain] = {}

    def read(self) -> BalancingChains:
        targets: dict[str, Sequence[str]] = {}
        leads: dict[str, Sequence[str]] = {}
        odd: list[OddChain] = []
        empty: list[Chain] = []
        affinity: list[Chain] = []
        unordered: list[Chain] = []
        rows = (row for alike in self._groups for row in self._rows(alike))
        for _, chain, form, found, texts, destinations, ascending in sorted(rows, key=itemgetter(0)):
            name = chain.name
            if name in self._deleted:
                continue
            targets[name], leads[name] = found, destinations
            if form.affinity:
                affinity.append(chain)
            if form.regular and self._are_even(chain, texts) and (ascending or _are_different(found, destinations)):
                if found == (MARK_DROP,):
                    targets[name] = leads[name] = ()
                elif not ascending and list(destinations) != sorted(destinations) and "" not in destinations:
                    unordered.append(chain)
                continue
            read = self._take_apart(chain)
            if not read.choices and read.ending is None and not read.strange and read.leak > 0.0:
                empty.append(chain)
            elif not _harmless(read):
                odd.append(read)
            found = tuple([choice.target for choice in read.choices if choice.target[:9] == _ENDPOINT])
            targets[name], leads[name] = found, [self._endpoints.destinations.get(target, "") for target in found]
        return BalancingChains(
            targets, leads, tuple(odd), tuple(empty), tuple(affinity), tuple(unordered), self._written
        )
    def _rows(self, alike: SameLayout) -> Iterator[_Row]:
        form = self._read_form(alike.layout)
        targets = [alike.column(place) for place in form.choices]
        texts = [alike.column(place) for place in form.chances]
        known = self._endpoints.destinations.get
        destinations = [list(map(known, words, repeat(""))) for words in targets]
        ascending = (
            bool(destinations)
            and "" not in destinations[0]
            and all(all(map(lt, one, other)) for one, other in pairwise(destinations))
        )
        columns = (targets, texts, destinations)
        rows = [zip(*words) if words else repeat(()) for words in columns]
        return zip(alike.places, alike.chains, repeat(form), *rows, repeat(ascending))

    def _are_even(self, chain: Chain, texts: tuple[str, ...]) -> bool:
        """Whether the probabilities of a chain are even."""
        even = self._texts.get(texts)
        if even is None:
            digits = self._digits(texts)
            even = self._texts[texts] = bool(digits)
            if digits is Digits.FIVE or digits is Digits.TEN:
                self._written.setdefault(digits, chain)
        return even

    def _digits(self, texts: tuple[str, ...]) -> Digits:
        """The number of digits with which all of a chain's probabilities are even; NONE if no number fits all."""
        found, every = Digits.EITHER, True
        for place, text in enumerate(texts):
            digits = self._shares.digits(text, len(texts) + 1 - place)
            found &= digits
            every = every and bool(digits)
        return found or (Digits.EITHER if every else Digits.NONE)

    def _read_form(self, layout: Layout) -> _Form:
        choices: list[int] = []
        chances: list[int] = []
        regular, affinity, ended = True, False, False
        for shape, start in zip(layout.shapes, layout.offsets):
            plan = self._plans[shape]
            if plan.rcheck:
                affinity = True
                regular = regular and not choices
            elif plan.singles_out_sources or plan.singles_out_destinations:
                continue
            elif plan.target_slot is None or plan.other or plan.nth or plan.protocol is not None or plan.goto or ended:
                regular = False
            else:
                choices.append(start + plan.target_slot)
                if plan.probability is None:
                    ended = True
                else:
                    chances.append(start + plan.probability.slot)
                    regular = regular and not plan.probability.negated
        return _Form(tuple(choices), tuple(chances), regular and ended, affinity)

    def _take_apart(self, chain: Chain) -> OddChain:
        rest, leak = 1.0, 0.0
        ending: Rule | None = None
        drawn: list[tuple[Rule, str, float, float, str | None]] = []
        counting: list[Rule] = []
        strange: list[Rule] = []
        protocol = self._protocol(chain)
        for rule in chain.rules:
            plan = self._plans[rule.shape]
            target = plan.target_of(rule)
            chance = _chance(plan, rule)
            if target is None or target in (MARK_MASQ, "MARK") or chance is None:
                continue
            asked = plan.protocol if protocol else None
            if asked is not None and (usual_name(asked.of(rule)) == protocol) is asked.negated:
                continue
            share, left_over = taken(rest, chance)
            if plan.nth:
                counting.append(rule)
            if target in ("RETURN", "ACCEPT"):
                if share > 0.0:
                    ending, leak = ending or rule, leak + share
            elif plan.target_slot is not None or plan.translates:
                if target[:9] != _ENDPOINT and target != MARK_DROP:
                    strange.append(rule)
                text = None if plan.probability is None else plan.probability.of(rule)
                if target != MARK_DROP:
                    drawn.append((rule, target, chance, share, text))
            elif target not in ("DROP", "REJECT", "REDIRECT"):
                continue
            rest = left_over
        return OddChain(
            chain,
            tuple(self._choices(drawn)),
            leak + max(rest, 0.0),
            ending,
            tuple(counting),
            tuple(strange),
            self._may_be_part([text for *_, text in drawn]),
        )

    def _protocol(self, chain: Chain) -> str:
        """The protocol of the connections that a chain spreads, as its first endpoint's DNAT tells; "" where it does
        not."""
        targets = (rule.target or "" for rule in chain.rules)
        return next((self._endpoints.protocol(each) for each in targets if each in self._endpoints.destinations), "")

    def _choices(self, drawn: list[tuple[Rule, str, float, float, str | None]]) -> Iterator[Draw]:
        for place, (rule, target, chance, share, text) in enumerate(drawn):
            remaining = len(drawn) - place
            even = remaining == 1 if text is None else bool(self._shares.digits(text, remaining))
            probability = self._plans[rule.shape].probability
            if probability is not None and probability.negated:
                even = abs(chance * remaining - 1) < _GRAIN
            slot = self._plans[rule.shape].dnat_slot
            destination = self._endpoints.destination(target) if slot is None else rule.word(slot)
            yield Draw(rule, target, destination, chance, share, even)

    def _may_be_part(self, chances: Sequence[str | None]) -> bool:
        """Whether choices may be some of an even chain's: their numbers of remaining endpoints go down."""
        last: int | None = None
        for text in chances:
            remaining = 1 if text is None else self._shares.remaining(text)
            if remaining is None or (last is not None and remaining >= last) or (text is not None and remaining == 1):
                return False
            last = remaining
        return True


def _are_different(targets: Sequence[str], destinations: Sequence[str]) -> bool:
    """Whether each choice of a chain leads to another endpoint."""
    different = set(destinations)
    if "" in different:  # endpoints whose chains the text does not have are distinguished by these
        return (
            len(set(targets)) == len(targets)
            and len(different) + destinations.count("") - 1 == len(targets)
            and (all(target[:9] == _ENDPOINT for target in targets) or targets == (MARK_DROP,))
        )
    return len(different) == len(targets)


def _harmless(read: OddChain) -> bool:
    """Whether a chain of another form spreads evenly anyway: with a rule of another kind in between, which other checks
    judge."""
    targets = [choice.target for choice in read.choices]
    destinations = [choice.destination for choice in read.choices]
    return (
        read.leak <= _NOTHING
        and read.ending is None
        and not read.counting
        and not read.strange
        and all(choice.even for choice in read.choices)
        and len(set(targets)) == len(targets)
        and len(set(destinations)) == len(destinations)
    )


_NOTHING = 1e-12


def _chance(plan: RulePlan, rule: Rule) -> float | None:
    """A rule's chance to take an ordinary connection; None if it takes none, or not by chance alone."""
    if plan.rcheck or plan.singles_out_sources or plan.singles_out_destinations or (plan.other and not plan.nth):
        return None
    return plan.chance(rule.values)


def key_of(chain: str) -> str | None:
    """What the chains of one service port have in common."""
    return None if role_of(chain) is ChainRole.ENDPOINT else hash_of(chain)
