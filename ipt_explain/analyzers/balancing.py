"""Balancing chains (KUBE-SVC, KUBE-SVL, KUBE-XLB): which endpoint a new connection reaches, with which chance.

The chances are those of a connection that nothing singles out: a first one (no affinity record), from an ordinary
source (no endpoint of the service, not the node itself).
"""

from __future__ import annotations

from dataclasses import dataclass

from ipt_explain.analyzers.endpoints import EndpointReader
from ipt_explain.analyzers.facts import Share
from ipt_explain.analyzers.names import MARK_DROP, MARK_MASQ, ChainRole, role_of
from ipt_explain.analyzers.plans import Plans, RulePlan
from ipt_explain.model import Rule, Table
from ipt_explain.netfilter.stored import SCALE, stored

# kube-proxy nests XLB → SVC → SEP; generated input may nest without end.
_MAX_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Affinity:
    """One rule that sends a returning client to its endpoint: `-m recent --rcheck --seconds`."""

    chain: str
    record_list: str | None
    seconds: int | None
    rule: Rule


@dataclass(frozen=True, slots=True)
class Spread:
    """What a chain does with new connections. Shares, `dropped` and `unmatched` sum to 1.

    `present`: the text has the chain. `dropped`: the share that is marked for dropping. `masquerade` are the rules
    that mark for masquerading; `redirects` are rules that single out sources (pods, the node itself) and lead them to
    another chain; `odd` are rules whose conditions the chances above leave out.
    """

    chain: str
    present: bool
    shares: tuple[Share, ...]
    unmatched: float
    dropped: float
    affinity: tuple[Affinity, ...]
    masquerade: tuple[Rule, ...]
    redirects: tuple[Rule, ...]
    odd: tuple[Rule, ...]
    balancing: tuple[Rule, ...]


class BalancerReader:
    """Reads the balancing chains of one nat table, each once."""

    def __init__(self, nat: Table | None, plans: Plans, endpoints: EndpointReader) -> None:
        self._chains = {} if nat is None else nat.chains
        self._plans = plans
        self._endpoints = endpoints
        self._known: dict[tuple[str, str | None], Spread] = {}
        self._open: set[str] = set()

    def read(self, name: str, protocol: str | None) -> Spread:
        """How a chain spreads new connections of a protocol (None: not known)."""
        key = (name, protocol)
        spread = self._known.get(key)
        if spread is None:
            self._open.add(name)
            spread = self._known[key] = self._read(name, protocol)
            self._open.discard(name)
        return spread

    def _read(self, name: str, protocol: str | None) -> Spread:
        chain = self._chains.get(name)
        if chain is None:
            return Spread(name, False, (), 1.0, 0.0, (), (), (), (), ())
        plans = self._plans
        rest, dropped = 1.0, 0.0
        shares: list[Share] = []
        affinity: list[Affinity] = []
        masquerade: list[Rule] = []
        redirects: list[Rule] = []
        odd: list[Rule] = []
        balancing: list[Rule] = []
        for rule in chain.rules:
            plan = plans[rule.shape]
            target = plan.target if plan.target_slot is None else rule.values[plan.target_slot]
            if target is None or not _same_protocol(plan, rule, protocol):
                continue
            if target == MARK_MASQ or (target == "MARK" and plan.dnat_slot is None):
                masquerade.append(rule)
            elif plan.rcheck:
                affinity.append(_affinity(plan, rule, target))
            elif plan.singles_out_sources:
                redirects.append(rule)
            elif (chance := _chance(plan, rule)) is None:
                odd.append(rule)
            else:
                balancing.append(rule)
                offered = rest * chance
                if target == MARK_DROP or target == "DROP":
                    dropped += offered
                    rest -= offered
                elif target == "RETURN":
                    return _spread(name, shares, rest, dropped, affinity, masquerade, redirects, odd, balancing)
                elif offered > 0.0 or plan.probability is not None:
                    taken, lost = self._take(shares, rule, plan, target, offered, protocol)
                    dropped += lost
                    rest = 0.0 if taken >= rest else rest - taken
        return _spread(name, shares, rest, dropped, affinity, masquerade, redirects, odd, balancing)

    def _take(
        self, shares: list[Share], rule: Rule, plan: RulePlan, target: str, offered: float, protocol: str | None
    ) -> tuple[float, float]:
        """Adds what a target takes of the share offered to it; returns how much it takes, and how much of that it
        marks for dropping.
        """
        if plan.dnat_slot is not None:
            shares.append(Share(rule.values[plan.dnat_slot], rule.chain, offered))
            return offered, 0.0
        endpoint = self._endpoints.read(target)
        if endpoint is not None:
            if endpoint.protocol != protocol and endpoint.protocol is not None and protocol is not None:
                return 0.0, 0.0
            shares.append(Share(endpoint.destination, target, offered))
            return offered, 0.0
        if target not in self._chains:
            if role_of(target) is ChainRole.ENDPOINT:
                # The text lacks the chain; the chance of reaching it is known all the same.
                shares.append(Share(None, target, offered))
                return offered, 0.0
            return 0.0, 0.0
        if target in self._open or len(self._open) > _MAX_DEPTH:
            return 0.0, 0.0
        inner = self.read(target, protocol)
        shares += [Share(share.endpoint, share.chain, share.probability * offered) for share in inner.shares]
        return offered * (1.0 - inner.unmatched), offered * inner.dropped


def _spread(
    name: str, shares: list[Share], rest: float, dropped: float, affinity: list[Affinity],
    masquerade: list[Rule], redirects: list[Rule], odd: list[Rule], balancing: list[Rule],
) -> Spread:  # fmt: skip
    return Spread(
        name,
        True,
        tuple(shares),
        rest,
        dropped,
        tuple(affinity),
        tuple(masquerade),
        tuple(redirects),
        tuple(odd),
        tuple(balancing),
    )


def _same_protocol(plan: RulePlan, rule: Rule, protocol: str | None) -> bool:
    if plan.protocol is None or protocol is None:
        return True
    return (plan.protocol.of(rule) == protocol) != plan.protocol.negated


_chances: dict[str, float | None] = {}
_MAX_CHANCES = 65536


def _chance(plan: RulePlan, rule: Rule) -> float | None:
    """The chance that a rule takes a connection, from the kernel's own 31-bit value; None where more than chance
    decides.
    """
    if plan.other or plan.nth or plan.singles_out_destinations:
        return None
    if plan.probability is None:
        return 1.0
    text = rule.values[plan.probability.slot]
    if text not in _chances:
        if len(_chances) >= _MAX_CHANCES:
            _chances.clear()
        try:
            _chances[text] = stored(text) / SCALE
        except ValueError:
            _chances[text] = None
    chance = _chances[text]
    return 1.0 - chance if plan.probability.negated and chance is not None else chance


def _affinity(plan: RulePlan, rule: Rule, target: str) -> Affinity:
    seconds = None if plan.seconds_slot is None else rule.values[plan.seconds_slot]
    record_list = None if plan.list_slot is None else rule.values[plan.list_slot]
    return Affinity(target, record_list, int(seconds) if seconds is not None and seconds.isdecimal() else None, rule)
