"""All balancing chains (KUBE-SVC, KUBE-SVL, KUBE-XLB) of a ruleset at a glance, and those that do not spread evenly.

Nearly all are as kube-proxy writes them: every endpoint once, each rule with an even share of the remaining endpoints,
the last without condition. The form of the rules and a list of texts show this; only other chains are taken apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise, repeat
from operator import itemgetter, lt
from typing import TYPE_CHECKING, TypeAlias

from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import BALANCING_ROLES, MARK_DROP, ChainRole
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.balancing.endpoint_chains import EndpointChains, endpoint_chains
from ipt_explain.audit.evidence.balancing.even_shares import EITHER, FIVE, TEN, Digits, EvenShares
from ipt_explain.audit.fact import fact
from ipt_explain.model import Chain, Layout
from ipt_explain.model.by_shape import SameLayout
from ipt_explain.records import Record

if TYPE_CHECKING:
    from ipt_explain.audit.evidence.balancing.odd_chains import OddChain, OddChains

_ENDPOINT = ChainRole.ENDPOINT.value


class BalancingChains(Record):
    """All that is known about them. `targets` are the endpoint chains of each, in the order of the rules, and
    `destinations` where these lead (`ip:port`, "" if the text does not show it); `affinity` the chains that look up
    returning clients; `unordered` those whose endpoints are not in kube-proxy's order; `mixed` are two whose
    probabilities are of five digits and of ten, if there are such."""

    targets: Mapping[str, Sequence[str]]
    destinations: Mapping[str, Sequence[str]]
    odd: tuple[OddChain, ...]
    empty: tuple[Chain, ...]
    affinity: tuple[Chain, ...]
    unordered: tuple[Chain, ...]
    mixed: tuple[Chain, ...]


class _ChoiceLayout(Record):
    """Where the choices of a chain are in `Chain.values`, for all chains of one layout: their targets and
    probabilities. `regular`: every choice but the last has a probability."""

    choices: tuple[int, ...]
    chances: tuple[int, ...]
    regular: bool
    affinity: bool


# The chain's place in the table, the chain, its form, its choices' targets and probabilities, where they lead, and
# whether all chains of this layout lead to different endpoints in kube-proxy's order.
_Row: TypeAlias = tuple[int, Chain, _ChoiceLayout, tuple[str, ...], tuple[str, ...], tuple[str, ...], bool]


@fact
def balancing_chains(context: RulesetContext) -> BalancingChains:
    """The balancing chains, and which of them are odd."""
    return _Survey(context).read()


def may_leak(context: RulesetContext) -> bool:
    """Whether some chains are odd or empty, or lead to endpoint chains without a DNAT."""
    found = balancing_chains(context)
    return bool(found.odd or found.empty or endpoint_chains(context).without)


def may_starve(context: RulesetContext) -> bool:
    """Whether some chains are odd, look up returning clients, or lead to endpoint chains without a DNAT or to a part of
    a Service's endpoints."""
    found = balancing_chains(context)
    whole = all(name[:9] == ChainRole.SERVICE.value for name in found.targets)
    return bool(found.odd or found.affinity or endpoint_chains(context).without or not whole)


class _Survey:
    def __init__(self, context: RulesetContext) -> None:
        nat = context.table("nat")
        self._deleted = frozenset() if nat is None else nat.deleted
        self._groups = [alike for role in BALANCING_ROLES for alike in context.hashed[role].values()]
        self._endpoints: EndpointChains = endpoint_chains(context)
        self._plans: Plans = self._endpoints.plans
        self._shares = EvenShares()
        self._texts: dict[tuple[str, ...], bool] = {}
        self._written: dict[int, Chain] = {}

    @cached_property
    def _odd(self) -> OddChains:
        from ipt_explain.audit.evidence.balancing.odd_chains import OddChains  # few dumps have any

        return OddChains(self._plans, self._endpoints, self._shares)

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
            read = self._odd.read(chain)
            if not read.choices and read.ending is None and not read.strange and read.leak > 0.0:
                empty.append(chain)
            elif not read.harmless:
                odd.append(read)
            found = tuple([choice.target for choice in read.choices if choice.target[:9] == _ENDPOINT])
            targets[name], leads[name] = found, [self._endpoints.destinations.get(target, "") for target in found]
        both = self._written.get(FIVE), self._written.get(TEN)
        mixed = tuple(filter(None, both)) if all(both) else ()
        return BalancingChains(targets, leads, tuple(odd), tuple(empty), tuple(affinity), tuple(unordered), mixed)

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
            if len(digits) == 1:
                self._written.setdefault(min(digits), chain)
        return even

    def _digits(self, texts: tuple[str, ...]) -> Digits:
        """The digits with which all of a chain's probabilities are even; both if none fits all, but one each."""
        found, every = EITHER, True
        for place, text in enumerate(texts):
            digits = self._shares.digits(text, len(texts) + 1 - place)
            found &= digits
            every = every and bool(digits)
        return EITHER if every and not found else found

    def _read_form(self, layout: Layout) -> _ChoiceLayout:
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
        return _ChoiceLayout(tuple(choices), tuple(chances), regular and ended, affinity)


def _are_different(targets: Sequence[str], destinations: Sequence[str]) -> bool:
    """Whether every choice of a chain leads to a different endpoint."""
    different = set(destinations)
    if "" in different:  # endpoints whose chains the text does not have are distinguished by these
        return (
            len(set(targets)) == len(targets)
            and len(different) + destinations.count("") - 1 == len(targets)
            and (all(target[:9] == _ENDPOINT for target in targets) or targets == (MARK_DROP,))
        )
    return len(different) == len(targets)
