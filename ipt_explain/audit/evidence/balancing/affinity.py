"""Session affinity: rules that look up returning clients, rules that record them, and mismatches between the two.

Facts: pkg/proxy/iptables/proxier.go. Each endpoint's DNAT rule records the client in a `recent` list named after the
endpoint's chain (`--set`). Before the balancing rules, each balancing chain looks in each endpoint's list (`--rcheck
--seconds T --reap`). T is the Service's, the same for all its ports: 1 to 86400, 10800 by default; kube-proxy 1.4 and
1.5 wrote 180, minutes as seconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import ChainRole
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.balancing.balancing_chains import BalancingChains, balancing_chains
from ipt_explain.audit.evidence.balancing.endpoint_chains import EndpointChains, endpoint_chains
from ipt_explain.audit.fact import fact
from ipt_explain.enums import Enum
from ipt_explain.model import Chain, Rule, Ruleset
from ipt_explain.netfilter.probability import taken
from ipt_explain.records import Record

LONGEST = 86400
"""The longest timeout of a Service, in seconds; the shortest is 1."""


class AffinityFault(Enum):
    """How looking up clients and recording them do not fit together."""

    NEVER_SET = "the list is never filled"
    UNUSED = "the list is never read"
    FOREIGN_LIST = "the rule looks in another endpoint's list"
    FOREIGN_RECORD = "the endpoint records in another list"
    LATE = "the rule comes after balancing rules"
    RETURNING_ONLY = "some endpoints are looked up, but no new client is sent to them"
    INCOMPLETE = "some endpoints are not looked up"


class BrokenAffinity(Record):
    """One fault. `rule` shows it, `endpoints` are the endpoint chains that it affects, `related` are other rules.
    `share` is the part of the clients that reaches a lookup rule which comes too late."""

    fault: AffinityFault
    chain: Chain
    rule: Rule
    endpoints: tuple[str, ...]
    related: tuple[Rule, ...] = ()
    share: float = 1.0


class AffinityCheck(Record):
    """A rule that looks up returning clients; `seconds` as in the text."""

    rule: Rule
    target: str
    list_name: str | None
    seconds: str | None

    @property
    def possible(self) -> bool:
        """Whether a Service can ask for this timeout."""
        seconds = self.seconds or ""
        return seconds.isdecimal() and len(seconds) < 9 and 1 <= int(seconds) <= LONGEST


class Affinity(Record):
    """All session affinity of a ruleset. `timeouts` has the lookup rules by the hash of their service port's chains."""

    broken: tuple[BrokenAffinity, ...]
    timeouts: Mapping[str, tuple[AffinityCheck, ...]]


@fact
def affinity(context: RulesetContext) -> Affinity:
    """All session affinity of a ruleset. Chains that have nothing to do with it cost nothing."""
    return _Reader(balancing_chains(context), endpoint_chains(context)).read(context.ruleset)


def broken_affinity(context: RulesetContext, fault: AffinityFault) -> Iterator[BrokenAffinity]:
    """The faults of one kind."""
    return (broken for broken in affinity(context).broken if broken.fault is fault)


class _Reader:
    def __init__(self, balancing: BalancingChains, endpoints: EndpointChains) -> None:
        self._balancing = balancing
        self._endpoints = endpoints
        self._plans: Plans = endpoints.plans
        self._recorders: set[str] = set()

    def read(self, ruleset: Ruleset) -> Affinity:
        broken: list[BrokenAffinity] = []
        timeouts: dict[str, list[AffinityCheck]] = defaultdict(list)
        for chain in self._balancing.affinity:
            checks = list(self._checks(chain))
            timeouts[chain.name[9:]] += checks
            broken += self._judge(chain, checks)
        if self._endpoints.recording:
            nat = ruleset.tables["nat"]
            broken += self._unused(nat.chains)
        return Affinity(tuple(broken), {key: tuple(checks) for key, checks in timeouts.items()})

    def _checks(self, chain: Chain) -> Iterator[AffinityCheck]:
        for rule in chain.rules:
            plan = self._plans[rule.shape]
            if plan.rcheck:
                name = None if plan.list_slot is None else rule.word(plan.list_slot)
                seconds = None if plan.seconds_slot is None else rule.word(plan.seconds_slot)
                yield AffinityCheck(rule, plan.target_of(rule) or "", name, seconds)

    def _judge(self, chain: Chain, checks: list[AffinityCheck]) -> Iterator[BrokenAffinity]:
        dnat, destinations = self._endpoints.dnat, self._endpoints.destinations
        for check in checks:
            recorded = self._endpoints.record_list(check.target) if check.target in destinations else None
            if check.list_name != check.target and check.list_name != recorded:
                yield BrokenAffinity(AffinityFault.FOREIGN_LIST, chain, check.rule, (check.target,))
            elif recorded is None or check.target in self._recorders:
                continue
            elif not recorded:
                self._recorders.add(check.target)
                yield BrokenAffinity(AffinityFault.NEVER_SET, chain, dnat(check.target), (check.target,), (check.rule,))
            elif recorded != check.target:
                self._recorders.add(check.target)
                yield BrokenAffinity(
                    AffinityFault.FOREIGN_RECORD, chain, dnat(check.target), (check.target,), (check.rule,)
                )
        yield from self._late(chain)
        checked = {check.target for check in checks}
        chosen = set(self._balancing.targets[chain.name])
        returning = [check for check in checks if check.target not in chosen]
        if returning:
            targets = tuple(check.target for check in returning)
            others = tuple(check.rule for check in returning[1:])
            yield BrokenAffinity(AffinityFault.RETURNING_ONLY, chain, returning[0].rule, targets, others)
        left_out = [target for target in self._balancing.targets[chain.name] if target not in checked]
        if left_out and checks:
            rules = tuple(rule for rule in chain.rules if rule.target in left_out)
            yield BrokenAffinity(AffinityFault.INCOMPLETE, chain, rules[0], tuple(left_out), rules[1:])

    def _late(self, chain: Chain) -> Iterator[BrokenAffinity]:
        rest = 1.0
        ahead: list[Rule] = []
        for rule in chain.rules:
            plan = self._plans[rule.shape]
            target = plan.target_of(rule)
            if plan.rcheck:
                if ahead:
                    yield BrokenAffinity(AffinityFault.LATE, chain, rule, (target or "",), tuple(ahead), rest)
            elif target is not None and target[:9] == ChainRole.ENDPOINT.value:
                ahead.append(rule)
                _, rest = taken(rest, plan.chance(rule.values) or 0.0)

    def _unused(self, chains: Mapping[str, Chain]) -> Iterator[BrokenAffinity]:
        looking = {chain.name for chain in self._balancing.affinity}
        record_list, dnat = self._endpoints.record_list, self._endpoints.dnat
        for name, targets in self._balancing.targets.items():
            if name not in looking:
                recording = [target for target in targets if record_list(target)]
                if recording:
                    rules = tuple(rule for rule in chains[name].rules if rule.target in recording)
                    recorders = tuple(dnat(target) for target in recording)
                    yield BrokenAffinity(AffinityFault.UNUSED, chains[name], rules[0], tuple(recording), recorders)
