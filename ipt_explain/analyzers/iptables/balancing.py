"""Balancing chains (KUBE-SVC, KUBE-SVL, KUBE-XLB): which endpoint a new connection reaches, with which chance.

The chances are those of a connection that nothing singles out: a first one (no affinity record), from an ordinary
source (no endpoint of the service, not the node itself).
"""

from __future__ import annotations

from ipt_explain.analyzers.iptables.endpoints import EndpointForms
from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import MARK_DROP, MARK_MASQ, ChainRole, role_of
from ipt_explain.model import Chain, Table
from ipt_explain.netfilter.stored import SCALE, stored
from ipt_explain.records import dataclass
from ipt_explain.services.evidence import Evidence
from ipt_explain.services.ports import Share

# Targets that end a packet's way through nat, or through the chain, with no endpoint chosen.
_ENDING = frozenset({"ACCEPT", "RETURN"})
# kube-proxy nests XLB → SVC → SEP; generated input may nest without end.
_MAX_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Affinity:
    """A rule that sends returning clients to their endpoint's chain, for so many seconds: `-m recent --rcheck`."""

    chain: str
    seconds: int | None


@dataclass(frozen=True, slots=True)
class Spread:
    """What a chain does with new connections. Shares, `dropped` and `unmatched` sum to 1.

    `chain` is None where the text lacks it. `endpoints` are the shares' endpoint chains, None where the text lacks
    them. `dropped`: the share that is marked for dropping. Of its rules, by number: `marks` mark for masquerading,
    `redirects` single out sources (pods, the node itself) and lead them to another chain, `balancing` take the shares.
    """

    name: str
    chain: Chain | None
    shares: tuple[Share, ...]
    endpoints: tuple[Chain | None, ...]
    unmatched: float
    dropped: float
    affinity: tuple[Affinity, ...]
    marks: tuple[int, ...]
    redirects: tuple[int, ...]
    balancing: tuple[int, ...]

    def evidence(self, numbers: tuple[int, ...]) -> list[Evidence]:
        """Some of its rules."""
        return [] if self.chain is None else [Evidence(self.chain, number) for number in numbers]


class BalancerReader:
    """Reads the balancing chains of one nat table, each once."""

    def __init__(self, nat: Table | None, plans: Plans, forms: EndpointForms) -> None:
        self._chains = {} if nat is None else nat.chains
        self._plans = plans
        self._forms = forms
        self._known: dict[tuple[str, str | None], Spread] = {}
        self._open: set[str] = set()
        self._chances = _Chances()

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
            return Spread(name, None, (), (), 1.0, 0.0, (), (), (), ())
        affinity: list[Affinity] = []
        marks: list[int] = []
        redirects: list[int] = []
        balancing: list[int] = []
        taken = _Taken()
        shares, endpoints = taken.shares, taken.endpoints
        values, plans, chains = chain.values, self._plans, self._chains
        forms, chances = self._forms, self._chances
        for number, (shape, start) in enumerate(zip(chain.layout.shapes, chain.layout.offsets)):
            plan = plans[shape]
            target = plan.target if plan.target_slot is None else values[start + plan.target_slot]
            of = plan.protocol
            if of is not None and protocol is not None and (values[start + of.slot] == protocol) is of.negated:
                continue
            if target is None:
                continue
            if target == MARK_MASQ or target == "MARK":
                marks.append(number)
            elif plan.by_chance:
                chance = 1.0
                if plan.probability is not None:
                    stated = chances[values[start + plan.probability.slot]]
                    if stated is None:
                        continue
                    chance = 1.0 - stated if plan.probability.negated else stated
                balancing.append(number)
                offered = taken.rest * chance
                endpoint = chains.get(target) if plan.target_slot is not None else None
                form = None if endpoint is None else forms[endpoint.layout]
                if endpoint is not None and form is not None:
                    own = protocol if form.protocol is None else endpoint.values[form.protocol]
                    if own == protocol or protocol is None:
                        shares.append(Share(endpoint.values[form.destination], target, offered))
                        endpoints.append(endpoint)
                        taken.rest = max(0.0, taken.rest - offered)
                elif target in _ENDING:
                    taken.leak(offered)
                elif plan.dnat_slot is not None:
                    taken.take(Share(values[start + plan.dnat_slot], name, offered), None)
                else:
                    self._hand_on(taken, target, offered, protocol)
            elif plan.rcheck:
                seconds = "" if plan.seconds_slot is None else values[start + plan.seconds_slot]
                affinity.append(Affinity(target, int(seconds) if seconds.isdecimal() else None))
            elif plan.singles_out_sources:
                redirects.append(number)
        return Spread(
            name, chain, tuple(shares), tuple(endpoints), taken.rest + taken.leaked, taken.dropped,
            tuple(affinity), tuple(marks), tuple(redirects), tuple(balancing),
        )  # fmt: skip

    def _hand_on(self, taken: _Taken, target: str, offered: float, protocol: str | None) -> None:
        """A share for a target that is no endpoint chain of this text."""
        if target == MARK_DROP or target == "DROP":
            taken.drop(offered)
        elif target not in self._chains:
            if role_of(target) is ChainRole.ENDPOINT:
                # The text lacks the chain; the chance of reaching it is known all the same.
                taken.take(Share(None, target, offered), None)
        elif target not in self._open and len(self._open) <= _MAX_DEPTH:
            inner = self.read(target, protocol)
            for share, endpoint in zip(inner.shares, inner.endpoints):
                taken.take(Share(share.endpoint, share.chain, share.probability * offered), endpoint)
            taken.drop(inner.dropped * offered)


class _Chances(dict[str, float | None]):
    """Probabilities by their texts, as the kernel's own 31-bit values; None for a text that is none."""

    def __missing__(self, text: str) -> float | None:
        chance: float | None
        try:
            chance = stored(text) / SCALE
        except ValueError:
            chance = None
        self[text] = chance
        return chance


class _Taken:
    """What of a chain's connections has been taken; `rest` is the share that has met no taker yet."""

    def __init__(self) -> None:
        self.rest, self.dropped, self.leaked = 1.0, 0.0, 0.0
        self.shares: list[Share] = []
        self.endpoints: list[Chain | None] = []

    def take(self, share: Share, endpoint: Chain | None) -> None:
        self.shares.append(share)
        self.endpoints.append(endpoint)
        self.rest = max(0.0, self.rest - share.probability)

    def drop(self, offered: float) -> None:
        self.dropped += offered
        self.rest = max(0.0, self.rest - offered)

    def leak(self, offered: float) -> None:
        self.leaked += offered
        self.rest = max(0.0, self.rest - offered)
