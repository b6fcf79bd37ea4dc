"""Balancing chains (KUBE-SVC, KUBE-SVL, KUBE-XLB): which endpoint a new connection reaches, with which chance.

The chances hold for an ordinary connection: a client's first one (no affinity record), and neither from the node nor
from an endpoint of the Service.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain as flatten

from ipt_explain.analyzers.iptables.endpoints import NO_ENDPOINTS, EndpointForms, one_endpoint, with_default_port
from ipt_explain.analyzers.iptables.gaps import chains_with_gaps
from ipt_explain.analyzers.iptables.plans import Plans, RulePlan
from ipt_explain.analyzers.iptables.runs import Run, Stretches
from ipt_explain.analyzers.names import MARK_DROP, MARK_MASQ, ChainRole, role_of
from ipt_explain.columns import Columns
from ipt_explain.model import Chain, Extent, Layout, Table
from ipt_explain.netfilter.header import usual_name
from ipt_explain.netfilter.probability import NOTHING, taken
from ipt_explain.records import Record, replace
from ipt_explain.services.evidence import Evidence
from ipt_explain.services.ports import Balancer, Endpoint, Scope, Share

# Targets that end a packet's walk through nat, or through the chain, without choosing an endpoint.
_ENDING = frozenset({"ACCEPT", "RETURN"})
# kube-proxy nests XLB → SVC → SEP; generated input may nest without end.
_MAX_DEPTH = 32
# Balancers read together: endpoint chains are scattered over memory, and those of so many fit the processor's cache.
_AT_ONCE = 32


class AffinityRule(Record):
    """A rule that sends clients back to an endpoint's chain for `seconds` after they connected: `-m recent --rcheck`.
    """

    chain: str
    seconds: int | None


class Spread(Record):
    """What a chain does with new connections: `balancer` in short. Shares (0..1) of its `endpoints`, `dropped` and
    `unmatched` sum to 1; `unmatched`, and any share, is None if it depends on rules that the input does not show.

    `chain` is None if the input does not show it. `dropped` is the share that is marked for dropping. Its rules, by
    number: `marks` mark for masquerading, `redirects` send some sources (pods, the node itself) to another chain, and
    `balancing` take the shares.
    """

    balancer: Balancer
    chain: Chain | None
    endpoints: Columns[Endpoint]
    shares: Sequence[float | None]
    unmatched: float | None
    dropped: float
    affinity: Sequence[AffinityRule]
    marks: Sequence[Evidence]
    redirects: Sequence[int]
    balancing: Sequence[int]

    def evidence(self, numbers: Sequence[int]) -> list[Evidence]:
        """Some of its rules."""
        return [] if self.chain is None else [Evidence(self.chain, number) for number in numbers]

    def keeping(self, port: int) -> Spread:
        """The same for packets to a port, which a DNAT without a port keeps."""
        endpoints = with_default_port(self.endpoints, port)
        if endpoints is self.endpoints:
            return self
        return replace(self, balancer=replace(self.balancer, shares=endpoints.of_kind(Share)), endpoints=endpoints)


_Led = tuple[Columns[Endpoint], AbstractSet[str]]
"""Where the rules of a run lead: to endpoint chains of one layout. Their DNATs match these protocols, or any if there
are none.
"""


class _Reading:
    """What a chain does, while its rules are read one by one. `rest` is the share that no rule has taken so far;
    `leaked` the share that rules let through untranslated. `sure`: no share depends on rules that are not shown.
    """

    def __init__(self, sure: bool) -> None:
        self.sure = sure
        self.rest, self.leaked, self.dropped = 1.0, 0.0, 0.0
        self.endpoints: list[Columns[Endpoint]] = []
        self.shares: list[Sequence[float | None]] = []
        self.affinity: list[AffinityRule] = []
        self.marks: list[Evidence] = []
        self.redirects: list[int] = []
        self.balancing: list[int] = []

    def add(self, endpoints: Columns[Endpoint], shares: Sequence[float | None]) -> None:
        """Add endpoints and the share of each."""
        self.endpoints.append(endpoints)
        self.shares.append(shares)


class BalancerReader:
    """Reads the balancing chains of one nat table, each once."""

    def __init__(self, nat: Table | None, plans: Plans, forms: EndpointForms) -> None:
        self._chains = {} if nat is None else nat.chains
        self._forms = forms
        self._known: dict[tuple[str, str | None], Spread] = {}
        self._stretches = Stretches(plans)
        self._led: dict[tuple[Run, Chain], _Led | None] = {}
        self._open: set[str] = set()
        self._with_gaps = chains_with_gaps(nat, plans)
        self._shown = nat is not None and nat.extent is Extent.WHOLE

    def read_ahead(self, names: Iterable[str]) -> None:
        """Read where these balancers lead, many at once: most differ only in their words."""
        alike: dict[tuple[Run, Layout], list[Chain]] = {}
        for chain in filter(None, map(self._chains.get, names)):
            for run, rules in self._stretches[chain.layout]:
                first = None if run is None else self._chains.get(chain.target_of(rules[0][0]) or "")
                if run is not None and first is not None:
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
        reading = _Reading(name not in self._with_gaps)
        for run, rules in self._stretches[chain.layout]:
            led = None if run is None else self._led_by(run, chain, protocol)
            taken_by_run = None if run is None or led is None else run.taken(chain.values, reading.rest)
            if run is not None and led is not None and taken_by_run is not None:
                reading.add(led, taken_by_run[0])
                reading.rest = taken_by_run[1]
                reading.balancing += run.numbers
                continue
            for number, plan, _ in rules:
                self._read_rule(reading, Evidence(chain, number), plan, protocol)
        single = len(reading.shares) == 1
        shares = reading.shares[0] if single else list(flatten.from_iterable(reading.shares))
        if name in self._with_gaps:
            shares = [None] * len(shares)
        unmatched = reading.rest + reading.leaked
        sure = reading.sure and (chain.extent is Extent.WHOLE or unmatched < NOTHING)
        return _spread(
            name, chain, Columns.joined(reading.endpoints or [NO_ENDPOINTS]), shares, unmatched if sure else None,
            reading.dropped, reading.affinity, reading.marks, reading.redirects, reading.balancing,
        )  # fmt: skip

    def _read_rule(self, reading: _Reading, rule: Evidence, plan: RulePlan, protocol: str | None) -> None:
        """Add what one rule does with connections of a protocol."""
        of, target = plan.protocol, rule.target
        if of is not None and protocol is not None and (usual_name(of.at(rule)) == protocol) is of.negated:
            return
        if target is None:
            return
        if target == MARK_MASQ or target == "MARK":
            reading.marks.append(rule)
        elif plan.by_chance:
            self._read_share(reading, rule, plan, target, protocol)
        elif plan.rcheck:
            seconds = "" if plan.seconds_slot is None else rule.word(plan.seconds_slot)
            reading.affinity.append(AffinityRule(target, int(seconds) if seconds.isdecimal() else None))
        elif plan.singles_out_sources:
            reading.redirects.append(rule.number)

    def _read_share(
        self, reading: _Reading, rule: Evidence, plan: RulePlan, target: str, protocol: str | None
    ) -> None:
        """Add what a rule does that takes a share of the connections."""
        chance = plan.chance(rule.chain.values, rule.start)
        if chance is None:
            return
        reading.balancing.append(rule.number)
        offered, left = taken(reading.rest, chance)
        endpoint = self._chains.get(target) if plan.target_slot is not None else None
        form = None if endpoint is None else self._forms[endpoint.layout]
        if endpoint is not None and form is not None:
            if protocol is not None and form.protocols([endpoint]) - {protocol}:
                return
            reading.add(form.endpoints([endpoint]), [offered])
        elif target in _ENDING:
            reading.leaked += offered
        elif plan.translates:
            text = None if plan.dnat_slot is None else rule.word(plan.dnat_slot)
            reading.add(one_endpoint(rule.chain.name, text, rule, self._forms.fragment), [offered])
        else:
            inner = self._behind(target, protocol, rule)
            reading.add(inner.endpoints, [_part(share, offered) for share in inner.shares])
            reading.dropped += inner.dropped * offered
            left += (inner.unmatched or 0.0) * offered
            reading.sure = reading.sure and inner.unmatched is not None
        reading.rest = left

    def _led_by(self, run: Run, chain: Chain, protocol: str | None) -> Columns[Endpoint] | None:
        """Where a run sends connections of a protocol; None if its rules must be read one by one."""
        if (run, chain) not in self._led:
            self._follow(run, [chain])
        led = self._led[run, chain]
        if led is None or (protocol is not None and led[1] - {protocol}):
            return None
        return led[0]

    def _follow(self, run: Run, chains: Sequence[Chain]) -> None:
        """Note where a run sends connections in each of these chains, which have one layout."""
        names = flatten.from_iterable(map(run.targets, [chain.values for chain in chains]))
        targets = list(map(self._chains.get, names))
        layouts = {None if target is None else target.layout for target in targets}
        layout = layouts.pop() if len(layouts) == 1 else None
        form = None if layout is None else self._forms[layout]
        if form is not None:
            shown = list(filter(None, targets))
            endpoints, protocols, width = form.endpoints(shown), form.protocols(shown), len(run.numbers)
            for at, chain in enumerate(chains):
                self._led[run, chain] = endpoints.part(at * width, (at + 1) * width), protocols
        elif layout is None and len(chains) > 1:
            for chain in chains:
                self._follow(run, [chain])
        else:
            self._led.update([((run, chain), None) for chain in chains])

    def _behind(self, target: str, protocol: str | None, leading: Evidence) -> Spread:
        """What a target does that is neither an endpoint chain of this input nor a verdict. `leading` is the rule that
        leads there."""
        if target == MARK_DROP or target == "DROP":
            return _spread(target, dropped=1.0)
        if target not in self._chains and role_of(target) is ChainRole.ENDPOINT:
            # The input does not show the chain, but the chance of reaching it is known.
            return _spread(target, None, one_endpoint(target, None, leading, self._forms.fragment), [1.0])
        if target not in self._chains or target in self._open or len(self._open) > _MAX_DEPTH:
            return self._absent(target) if target not in self._chains else _spread(target, unmatched=1.0)
        return self.read(target, protocol)

    def _absent(self, name: str) -> Spread:
        """A chain that the input does not show: it does not exist, or its share is unknown."""
        return _spread(name, unmatched=1.0 if self._shown else None)


_LOCAL = (ChainRole.LOCAL.value, ChainRole.LOCAL_EXTERNAL.value)


def _spread(
    name: str, chain: Chain | None = None, endpoints: Columns[Endpoint] = NO_ENDPOINTS,
    shares: Sequence[float | None] = (), unmatched: float | None = 0.0, dropped: float = 0.0,
    affinity: Sequence[AffinityRule] = (), marks: Sequence[Evidence] = (), redirects: Sequence[int] = (),
    balancing: Sequence[int] = (),
) -> Spread:  # fmt: skip
    scope = Scope.LOCAL if name.startswith(_LOCAL) else Scope.CLUSTER
    # Connections marked for dropping reach no endpoint either.
    lost = None if unmatched is None else unmatched + dropped
    endpoints = endpoints.with_columns(probability=shares)
    balancer = Balancer(name, scope, endpoints.of_kind(Share), lost, dropped > 0.0)
    return Spread(balancer, chain, endpoints, shares, unmatched, dropped, affinity, marks, redirects, balancing)


def _part(share: float | None, offered: float) -> float | None:
    """A share of what is offered; None if unknown."""
    return None if share is None else share * offered
