"""Balancing chains that are not written as kube-proxy writes them, taken apart rule by rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.analyzers.iptables.plans import Plans, RulePlan
from ipt_explain.analyzers.names import MARK_DROP, MARK_MASQ, ChainRole
from ipt_explain.audit.evidence.balancing.endpoint_chains import EndpointChains
from ipt_explain.audit.evidence.balancing.even_shares import EvenShares
from ipt_explain.model import Chain, Rule
from ipt_explain.netfilter.header import usual_name
from ipt_explain.netfilter.probability import NOTHING, taken
from ipt_explain.records import Record

_ENDPOINT = ChainRole.ENDPOINT.value
_GRAIN = 1e-6


class ShareRule(Record):
    """A rule that sends a share of new connections to an endpoint, or to something in its place.

    `chance` is the rule's own, `share` the part of all connections that it takes; `even` if the chance is right for the
    number of remaining choices. `destination` is the endpoint's `ip:port`, or the target if the text does not show it.
    """

    rule: Rule
    target: str
    destination: str
    chance: float
    share: float
    even: bool


class OddChain(Record):
    """A chain that does not spread connections as kube-proxy writes it.

    `leak` is the share that no choice takes, `ending` a rule before the choices that ends the chain. `counting` are
    rules that choose by count instead of chance, `strange` those that lead to no endpoint chain. `partial`: the rules
    shown may be part of an even chain.
    """

    chain: Chain
    choices: tuple[ShareRule, ...]
    leak: float
    ending: Rule | None
    counting: tuple[Rule, ...]
    strange: tuple[Rule, ...]
    partial: bool

    @property
    def harmless(self) -> bool:
        """Whether it spreads evenly anyway, because the odd rule is one that other checks judge."""
        targets = [choice.target for choice in self.choices]
        destinations = [choice.destination for choice in self.choices]
        return (
            self.leak <= NOTHING
            and self.ending is None
            and not self.counting
            and not self.strange
            and all(choice.even for choice in self.choices)
            and len(set(targets)) == len(targets)
            and len(set(destinations)) == len(destinations)
        )


class OddChains:
    """Reads odd chains. `plans`, `endpoints` and `shares` are those of all balancing chains."""

    def __init__(self, plans: Plans, endpoints: EndpointChains, shares: EvenShares) -> None:
        self._plans = plans
        self._endpoints = endpoints
        self._shares = shares

    def read(self, chain: Chain) -> OddChain:
        """Take a chain apart, rule by rule."""
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
            if asked is not None and (usual_name(asked.at(rule)) == protocol) is asked.negated:
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
                text = None if plan.probability is None else plan.probability.at(rule)
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
        """The protocol of the connections that a chain spreads: that of its first endpoint's DNAT, "" if it has
        none."""
        targets = (rule.target or "" for rule in chain.rules)
        return next((self._endpoints.protocol(each) for each in targets if each in self._endpoints.destinations), "")

    def _choices(self, drawn: list[tuple[Rule, str, float, float, str | None]]) -> Iterator[ShareRule]:
        for place, (rule, target, chance, share, text) in enumerate(drawn):
            remaining = len(drawn) - place
            even = remaining == 1 if text is None else bool(self._shares.digits(text, remaining))
            probability = self._plans[rule.shape].probability
            if probability is not None and probability.negated:
                even = abs(chance * remaining - 1) < _GRAIN
            slot = self._plans[rule.shape].dnat_slot
            destination = self._endpoints.destination(target) if slot is None else rule.word(slot)
            yield ShareRule(rule, target, destination, chance, share, even)

    def _may_be_part(self, chances: Sequence[str | None]) -> bool:
        """Whether these choices may be some of an even chain's: their numbers of remaining endpoints decrease."""
        last: int | None = None
        for text in chances:
            remaining = 1 if text is None else self._shares.remaining(text)
            if remaining is None or (last is not None and remaining >= last) or (text is not None and remaining == 1):
                return False
            last = remaining
        return True


def _chance(plan: RulePlan, rule: Rule) -> float | None:
    """A rule's chance to take an ordinary connection; None if it takes none, or not by chance alone."""
    if plan.rcheck or plan.singles_out_sources or plan.singles_out_destinations or (plan.other and not plan.nth):
        return None
    return plan.chance(rule.values)
