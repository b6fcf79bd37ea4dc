"""Balancing chains (KUBE-SVC, KUBE-SVL, KUBE-XLB): which endpoint a new connection reaches, with which chance.

The chances are those of a connection that nothing singles out: a first one (no affinity record), from an ordinary
source (no endpoint of the service, not the node itself).
"""

from __future__ import annotations

from ipt_explain.analyzers.endpoints import EndpointChain, EndpointReader
from ipt_explain.analyzers.names import MARK_DROP, MARK_MASQ, ChainRole, role_of
from ipt_explain.analyzers.plans import Plans, RulePlan
from ipt_explain.model import Rule, Table
from ipt_explain.netfilter.stored import SCALE, stored
from ipt_explain.records import dataclass
from ipt_explain.services.ports import Share

# Targets that end a packet's way through nat, or through the chain, with no endpoint chosen.
_ENDING = frozenset({"ACCEPT", "RETURN"})
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

    `present`: the text has the chain. `endpoints` are the shares' endpoint chains, None where the text lacks them.
    `dropped`: the share that is marked for dropping. `masquerade` are the rules that mark for masquerading;
    `redirects` are rules that single out sources (pods, the node itself) and lead them to another chain; `odd` are
    rules whose conditions the chances above leave out.
    """

    chain: str
    present: bool
    shares: tuple[Share, ...]
    endpoints: tuple[EndpointChain | None, ...]
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
            return Spread(name, False, (), (), 1.0, 0.0, (), (), (), (), ())
        found = _Findings(name)
        plans, read = self._plans, self._endpoints.read
        for rule in chain.rules:
            plan = plans[rule.shape]
            target = plan.target if plan.target_slot is None else rule.values[plan.target_slot]
            if target is None or (plan.protocol is not None and not _same_protocol(plan, rule, protocol)):
                continue
            if target == MARK_MASQ or (target == "MARK" and plan.dnat_slot is None):
                found.masquerade.append(rule)
            elif plan.rcheck:
                found.affinity.append(_affinity(plan, rule, target))
            elif plan.singles_out_sources:
                found.redirects.append(rule)
            elif (chance := _chance(plan, rule)) is None:
                found.odd.append(rule)
            else:
                found.balancing.append(rule)
                offered = found.rest * chance
                endpoint = read(target) if plan.target_slot is not None else None
                if endpoint is not None:
                    if endpoint.protocol == protocol or endpoint.protocol is None or protocol is None:
                        found.take(Share(endpoint.destination, target, offered), endpoint)
                elif target in _ENDING:
                    found.leak(offered)
                else:
                    self._hand_on(found, rule, plan, target, offered, protocol)
        return found.spread()

    def _hand_on(
        self, found: _Findings, rule: Rule, plan: RulePlan, target: str, offered: float, protocol: str | None
    ) -> None:
        """A share for a target that is no endpoint chain of this text."""
        if target == MARK_DROP or target == "DROP":
            found.drop(offered)
        elif plan.dnat_slot is not None:
            found.take(Share(rule.values[plan.dnat_slot], rule.chain, offered), None)
        elif target not in self._chains:
            if role_of(target) is ChainRole.ENDPOINT:
                # The text lacks the chain; the chance of reaching it is known all the same.
                found.take(Share(None, target, offered), None)
        elif target not in self._open and len(self._open) <= _MAX_DEPTH:
            inner = self.read(target, protocol)
            for share, endpoint in zip(inner.shares, inner.endpoints):
                found.take(Share(share.endpoint, share.chain, share.probability * offered), endpoint)
            found.drop(inner.dropped * offered)


class _Findings:
    """What is found in a chain while it is read; `rest` is the share that has met no taker yet."""

    def __init__(self, chain: str) -> None:
        self.rest, self.dropped, self.leaked = 1.0, 0.0, 0.0
        self.affinity: list[Affinity] = []
        self.masquerade: list[Rule] = []
        self.redirects: list[Rule] = []
        self.odd: list[Rule] = []
        self.balancing: list[Rule] = []
        self._chain = chain
        self._shares: list[Share] = []
        self._endpoints: list[EndpointChain | None] = []

    def take(self, share: Share, endpoint: EndpointChain | None) -> None:
        self._shares.append(share)
        self._endpoints.append(endpoint)
        self.rest = max(0.0, self.rest - share.probability)

    def drop(self, offered: float) -> None:
        self.dropped += offered
        self.rest = max(0.0, self.rest - offered)

    def leak(self, offered: float) -> None:
        self.leaked += offered
        self.rest = max(0.0, self.rest - offered)

    def spread(self) -> Spread:
        unmatched = self.rest + self.leaked
        return Spread(
            self._chain, True, tuple(self._shares), tuple(self._endpoints), unmatched, self.dropped,
            tuple(self.affinity), tuple(self.masquerade), tuple(self.redirects), tuple(self.odd), tuple(self.balancing),
        )  # fmt: skip


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
