"""Balancing chains (KUBE-SVC, KUBE-SVL, KUBE-XLB): which endpoint a new connection reaches, with which chance.

The chances are those of a connection that nothing singles out: a first one (no affinity record), from an ordinary
source (no endpoint of the service, not the node itself).
"""

from __future__ import annotations

from ipt_explain.analyzers.iptables.chance_runs import ChanceRuns, Run
from ipt_explain.analyzers.iptables.endpoints import EndpointForms
from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.iptables.runs import runs_with_gaps
from ipt_explain.analyzers.names import MARK_DROP, MARK_MASQ, ChainRole, role_of
from ipt_explain.model import Chain, Extent, Table
from ipt_explain.netfilter.header.protocols import usual_name
from ipt_explain.netfilter.probability import taken
from ipt_explain.records import dataclass
from ipt_explain.services.columns import Columns, nothing
from ipt_explain.services.evidence import Evidence
from ipt_explain.services.ports import Share

# Targets that end a packet's walk through nat, or through the chain, without choosing an endpoint.
_ENDING = frozenset({"ACCEPT", "RETURN"})
# kube-proxy nests XLB → SVC → SEP; generated input may nest without end.
_MAX_DEPTH = 32
# Rounding in sums of floats; the smallest share that the kernel can leave over is 2^-31.
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class AffinityRule:
    """A rule that sends returning clients to their endpoint's chain, for so many seconds: `-m recent --rcheck`."""

    chain: str
    seconds: int | None


@dataclass(frozen=True, slots=True)
class Spread:
    """What a chain does with new connections. Shares, `dropped` and `unmatched` sum to 1; `unmatched` is None, and so
    may shares be, where that hangs on rules that the text lacks.

    `chain` is None where the text lacks it. `endpoints` are the shares' endpoint chains, None where the text lacks
    them. `dropped`: the share that is marked for dropping. Of its rules, by number: `marks` mark for masquerading,
    `redirects` single out sources (pods, the node itself) and lead them to another chain, `balancing` take the shares.
    """

    name: str
    chain: Chain | None
    shares: Columns[Share]
    endpoints: tuple[Chain | None, ...]
    unmatched: float | None
    dropped: float
    affinity: tuple[AffinityRule, ...]
    marks: tuple[int, ...]
    redirects: tuple[int, ...]
    balancing: tuple[int, ...]

    def evidence(self, numbers: tuple[int, ...]) -> list[Evidence]:
        """Some of its rules."""
        return [] if self.chain is None else [Evidence(self.chain, number) for number in numbers]


@dataclass(frozen=True, slots=True)
class _Led:
    """Where the rules of a run lead, all of them to endpoint chains of one layout."""

    names: list[str]
    endpoints: list[Chain]
    destinations: list[str | None]
    shares: list[float]
    left: float


class BalancerReader:
    """Reads the balancing chains of one nat table, each once."""

    def __init__(self, nat: Table | None, plans: Plans, forms: EndpointForms) -> None:
        self._chains = {} if nat is None else nat.chains
        self._plans = plans
        self._forms = forms
        self._known: dict[tuple[str, str | None], Spread] = {}
        self._runs = ChanceRuns(plans)
        self._open: set[str] = set()
        self._with_gaps = runs_with_gaps(nat, plans)
        self._shown = nat is not None and nat.extent is Extent.WHOLE

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
            return self._absent(name)
        affinity: list[AffinityRule] = []
        marks: list[int] = []
        redirects: list[int] = []
        balancing: list[int] = []
        names: list[str] = []
        destinations: list[str | None] = []
        shares: list[float | None] = []
        endpoints: list[Chain | None] = []
        rest, leaked, dropped = 1.0, 0.0, 0.0
        runs, behind = self._runs[chain.layout], 0
        sure = name not in self._with_gaps
        values, plans, chains, forms = chain.values, self._plans, self._chains, self._forms
        for number, (shape, start) in enumerate(zip(chain.layout.shapes, chain.layout.offsets)):
            if number < behind:
                continue
            run = runs.get(number)
            led = None if run is None else self._led(run, values, rest, protocol)
            if run is not None and led is not None:
                names += led.names
                destinations += led.destinations
                shares += led.shares
                endpoints += led.endpoints
                balancing += run.numbers
                rest, behind = led.left, run.numbers.stop
                continue
            plan = plans[shape]
            target = plan.target if plan.target_slot is None else values[start + plan.target_slot]
            of = plan.protocol
            own = None if of is None else usual_name(values[start + of.slot])
            if of is not None and protocol is not None and (own == protocol) is of.negated:
                continue
            if target is None:
                continue
            if target == MARK_MASQ or target == "MARK":
                marks.append(number)
            elif plan.by_chance:
                chance = plan.chance(values, start)
                if chance is None:
                    continue
                balancing.append(number)
                offered, left = taken(rest, chance)
                endpoint = chains.get(target) if plan.target_slot is not None else None
                form = None if endpoint is None else forms[endpoint.layout]
                if endpoint is not None and form is not None:
                    asked = protocol if form.protocol is None else usual_name(endpoint.at(form.protocol))
                    if asked != protocol and protocol is not None:
                        continue
                    names.append(target)
                    destinations.append(form.destination_of(endpoint))
                    shares.append(offered)
                    endpoints.append(endpoint)
                elif target in _ENDING:
                    leaked += offered
                elif plan.dnat_slot is not None:
                    names.append(name)
                    destinations.append(values[start + plan.dnat_slot])
                    shares.append(offered)
                    endpoints.append(None)
                else:
                    inner = self._behind(target, protocol)
                    names += inner.shares.column("chain")
                    destinations += inner.shares.column("endpoint")
                    shares += [_part(share, offered) for share in inner.shares.column("probability")]
                    endpoints += inner.endpoints
                    dropped += inner.dropped * offered
                    left += (inner.unmatched or 0.0) * offered
                    sure = sure and inner.unmatched is not None
                rest = left
            elif plan.rcheck:
                seconds = "" if plan.seconds_slot is None else values[start + plan.seconds_slot]
                affinity.append(AffinityRule(target, int(seconds) if seconds.isdecimal() else None))
            elif plan.singles_out_sources:
                redirects.append(number)
        if name in self._with_gaps:
            shares = [None] * len(shares)
        unmatched = rest + leaked if sure and (chain.extent is Extent.WHOLE or rest + leaked < _NOTHING) else None
        return Spread(
            name, chain, _shares(destinations, names, shares), tuple(endpoints), unmatched, dropped,
            tuple(affinity), tuple(marks), tuple(redirects), tuple(balancing),
        )  # fmt: skip

    def _led(self, run: Run, values: tuple[str, ...], rest: float, protocol: str | None) -> _Led | None:
        """Where a run leads connections of a protocol, `rest` of which get to it; None where its rules are to be asked
        one by one.
        """
        names = [values[place] for place in run.targets]
        endpoints = [chain for chain in map(self._chains.get, names) if chain is not None]
        layouts = {chain.layout for chain in endpoints}
        form = self._forms[layouts.pop()] if len(layouts) == 1 else None
        share = run.taken(values, rest)
        if form is None or share is None or len(endpoints) < len(names) or MARK_MASQ in names:
            return None
        if form.protocol is not None and protocol is not None:
            place = form.protocol
            if {protocol} != {usual_name(text) for text in {chain.at(place) for chain in endpoints}}:
                return None
        return _Led(names, endpoints, list(map(form.destination_of, endpoints)), *share)

    def _behind(self, target: str, protocol: str | None) -> Spread:
        """What a target does with connections that is neither an endpoint chain of this text nor ends their way."""
        if target == MARK_DROP or target == "DROP":
            return _spread(target, dropped=1.0)
        if target not in self._chains and role_of(target) is ChainRole.ENDPOINT:
            # The text lacks the chain; the chance of reaching it is known all the same.
            return _spread(target, _shares([None], [target], [1.0]))
        if target not in self._chains or target in self._open or len(self._open) > _MAX_DEPTH:
            return self._absent(target) if target not in self._chains else _spread(target, unmatched=1.0)
        return self.read(target, protocol)

    def _absent(self, name: str) -> Spread:
        """A chain that the text lacks: there is none, or nobody knows."""
        return _spread(name, unmatched=1.0 if self._shown else None)


def _part(share: float | None, offered: float) -> float | None:
    """A share of what is offered; None where that is not known."""
    return None if share is None else share * offered


def _shares(endpoints: list[str | None], chains: list[str], chances: list[float | None]) -> Columns[Share]:
    none = nothing(len(chains))
    return Columns(Share, endpoint=endpoints, chain=chains, probability=chances, scheduler=none, weight=none)


_NO_SHARES = _shares([], [], [])


def _spread(
    name: str, shares: Columns[Share] = _NO_SHARES, unmatched: float | None = 0.0, dropped: float = 0.0
) -> Spread:
    """What a chain does that is not read."""
    return Spread(name, None, shares, (None,) * len(shares), unmatched, dropped, (), (), (), ())
