"""Balancing chains (KUBE-SVC, KUBE-SVL, KUBE-XLB): which endpoint a new connection reaches, with which chance.

The chances hold for an ordinary connection: a client's first one (no affinity record), and neither from the node nor
from an endpoint of the Service.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain as flatten

from ipt_explain.analyzers.iptables.endpoints import Destination, EndpointForms, split_destination, with_port
from ipt_explain.analyzers.iptables.gaps import chains_with_gaps
from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.iptables.runs import ChanceRuns, Run
from ipt_explain.analyzers.names import MARK_DROP, MARK_MASQ, ChainRole, role_of
from ipt_explain.model import Chain, Extent, Layout, Table
from ipt_explain.netfilter.header import usual_name
from ipt_explain.netfilter.probability import taken
from ipt_explain.records import dataclass, replace
from ipt_explain.services.columns import Columns, in_columns
from ipt_explain.services.evidence import Evidence
from ipt_explain.services.ports import Scope

# Targets that end a packet's walk through nat, or through the chain, without choosing an endpoint.
_ENDING = frozenset({"ACCEPT", "RETURN"})
# kube-proxy nests XLB → SVC → SEP; generated input may nest without end.
_MAX_DEPTH = 32
# Balancers read together: endpoint chains are scattered over memory, and those of so many fit the processor's cache.
_AT_ONCE = 32
# Rounding in sums of floats; the smallest share that the kernel can leave over is 2^-31.
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class AffinityRule:
    """A rule that sends clients back to an endpoint's chain for `seconds` after they connected: `-m recent --rcheck`.
    """

    chain: str
    seconds: int | None


@dataclass(frozen=True, slots=True)
class Spread:
    """What a chain does with new connections. Shares (0..1), `dropped` and `unmatched` sum to 1; `unmatched`, and any
    share, is None if it depends on rules that the input does not show.

    `chain` is None if the input does not show it; `scope` is that of the chain's role. Each of the `destinations`
    receives one of the `shares`; `dropped` is the share that is marked for dropping. Its rules, by number: `marks` mark
    for masquerading, `redirects` send some sources (pods, the node itself) to another chain, and `balancing` take the
    shares.
    """

    name: str
    chain: Chain | None
    scope: Scope
    shares: Sequence[float | None]
    destinations: Columns[Destination]
    unmatched: float | None
    dropped: float
    affinity: tuple[AffinityRule, ...]
    marks: tuple[int, ...]
    redirects: tuple[int, ...]
    balancing: tuple[int, ...]

    def evidence(self, numbers: tuple[int, ...]) -> list[Evidence]:
        """Some of its rules."""
        return [] if self.chain is None else [Evidence(self.chain, number) for number in numbers]

    def keeping(self, port: int) -> Spread:
        """The same for packets to a port, which DNAT without a port keeps."""
        destinations = with_port(self.destinations, port)
        return self if destinations is self.destinations else replace(self, destinations=destinations)


_Led = tuple[Columns[Destination], AbstractSet[str]]
"""Where the rules of a run lead: to endpoint chains of one layout. Their DNATs match these protocols, or any if there
are none.
"""


class BalancerReader:
    """Reads the balancing chains of one nat table, each once."""

    def __init__(self, nat: Table | None, plans: Plans, forms: EndpointForms) -> None:
        self._chains = {} if nat is None else nat.chains
        self._plans = plans
        self._forms = forms
        self._known: dict[tuple[str, str | None], Spread] = {}
        self._runs = ChanceRuns(plans)
        self._led: dict[tuple[Run, Chain], _Led | None] = {}
        self._open: set[str] = set()
        self._with_gaps = chains_with_gaps(nat, plans)
        self._shown = nat is not None and nat.extent is Extent.WHOLE

    def read_ahead(self, names: Iterable[str]) -> None:
        """Read where these balancers lead, many at once: most differ in nothing but their words."""
        alike: dict[tuple[Run, Layout], list[Chain]] = {}
        for chain in filter(None, map(self._chains.get, names)):
            for run in self._runs[chain.layout].values():
                first = self._chains.get(chain.target_of(run.numbers.start) or "")
                if first is not None:
                    alike.setdefault((run, first.layout), []).append(chain)
        for (run, _), chains in alike.items():
            for at in range(0, len(chains), _AT_ONCE):
                self._follow(run, chains[at : at + _AT_ONCE])

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
        destinations: list[Columns[Destination]] = []
        shares: list[Sequence[float | None]] = []
        rest, leaked, dropped = 1.0, 0.0, 0.0
        runs, behind = self._runs[chain.layout], 0
        sure = name not in self._with_gaps
        values, plans, chains, forms = chain.values, self._plans, self._chains, self._forms
        for number, (shape, start) in enumerate(zip(chain.layout.shapes, chain.layout.offsets)):
            if number < behind:
                continue
            run = runs.get(number)
            led = None if run is None else self._led_by(run, chain, protocol)
            share = None if run is None or led is None else run.taken(values, rest)
            if run is not None and led is not None and share is not None:
                destinations.append(led)
                shares.append(share[0])
                balancing += run.numbers
                rest, behind = share[1], run.numbers.stop
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
                    if protocol is not None and form.protocols([endpoint]) - {protocol}:
                        continue
                    destinations.append(form.destinations([endpoint]))
                    shares.append([offered])
                elif target in _ENDING:
                    leaked += offered
                elif plan.translates:
                    text = None if plan.dnat_slot is None else values[start + plan.dnat_slot]
                    destinations.append(_one(name, text, Evidence(chain, number)))
                    shares.append([offered])
                else:
                    inner = self._behind(target, protocol, Evidence(chain, number))
                    destinations.append(inner.destinations)
                    shares.append([_part(share, offered) for share in inner.shares])
                    dropped += inner.dropped * offered
                    left += (inner.unmatched or 0.0) * offered
                    sure = sure and inner.unmatched is not None
                rest = left
            elif plan.rcheck:
                seconds = "" if plan.seconds_slot is None else values[start + plan.seconds_slot]
                affinity.append(AffinityRule(target, int(seconds) if seconds.isdecimal() else None))
            elif plan.singles_out_sources:
                redirects.append(number)
        each = shares[0] if len(shares) == 1 else list(flatten.from_iterable(shares))
        if name in self._with_gaps:
            each = [None] * len(each)
        unmatched = rest + leaked if sure and (chain.extent is Extent.WHOLE or rest + leaked < _NOTHING) else None
        return Spread(
            name, chain, _scope(name), each, Columns.joined(destinations or [_NOWHERE]), unmatched, dropped,
            tuple(affinity), tuple(marks), tuple(redirects), tuple(balancing),
        )  # fmt: skip

    def _led_by(self, run: Run, chain: Chain, protocol: str | None) -> Columns[Destination] | None:
        """Where a run leads connections of a protocol; None if its rules must be read one by one."""
        if (run, chain) not in self._led:
            self._follow(run, [chain])
        led = self._led[run, chain]
        if led is None or (protocol is not None and led[1] - {protocol}):
            return None
        return led[0]

    def _follow(self, run: Run, chains: Sequence[Chain]) -> None:
        """Note where a run leads in each of these chains, which have one layout."""
        names = flatten.from_iterable(map(run.targets, [chain.values for chain in chains]))
        endpoints = list(map(self._chains.get, names))
        form = self._forms.shared(endpoints)
        if form is not None:
            shown = list(filter(None, endpoints))
            destinations, protocols, width = form.destinations(shown), form.protocols(shown), len(run.numbers)
            for at, chain in enumerate(chains):
                self._led[run, chain] = destinations.part(at * width, (at + 1) * width), protocols
        elif len(chains) > 1:
            for chain in chains:
                self._follow(run, [chain])
        else:
            self._led[run, chains[0]] = None

    def _behind(self, target: str, protocol: str | None, leading: Evidence) -> Spread:
        """What a target does that is neither an endpoint chain of this input nor a verdict. `leading` is the rule that
        leads there."""
        if target == MARK_DROP or target == "DROP":
            return _spread(target, dropped=1.0)
        if target not in self._chains and role_of(target) is ChainRole.ENDPOINT:
            # The input does not show the chain, but the chance of reaching it is known.
            return _spread(target, _one(target, None, leading))
        if target not in self._chains or target in self._open or len(self._open) > _MAX_DEPTH:
            return self._absent(target) if target not in self._chains else _spread(target, unmatched=1.0)
        return self.read(target, protocol)

    def _absent(self, name: str) -> Spread:
        """A chain that the input does not show: it does not exist, or its share is unknown."""
        return _spread(name, unmatched=1.0 if self._shown else None)


def _scope(name: str) -> Scope:
    return Scope.LOCAL if role_of(name) in (ChainRole.LOCAL, ChainRole.LOCAL_EXTERNAL) else Scope.CLUSTER


def _part(share: float | None, offered: float) -> float | None:
    """A share of what is offered; None if unknown."""
    return None if share is None else share * offered


def _one(name: str, text: str | None, evidence: Evidence) -> Columns[Destination]:
    """A destination whose endpoint chain the input does not show."""
    address, port = (None, None) if text is None else split_destination(text)
    marked = None if text is None else False
    return in_columns([Destination(name, text, address, port, marked, None, evidence)], Destination)


_NOWHERE: Columns[Destination] = in_columns([], Destination)


def _spread(
    name: str, destinations: Columns[Destination] = _NOWHERE, unmatched: float | None = 0.0, dropped: float = 0.0
) -> Spread:
    """What is known of a target without reading its rules."""
    shares = [1.0] * len(destinations)
    return Spread(name, None, _scope(name), shares, destinations, unmatched, dropped, (), (), (), ())
