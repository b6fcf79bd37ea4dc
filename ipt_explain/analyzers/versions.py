"""Which kube-proxy wrote a dump, as far as its rules show.

Each fingerprint comes from kube-proxy's sources and matches the captured dumps of 1.14 to 1.30.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain as flatten
from itertools import islice

from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import (
    EXTERNAL_SERVICES,
    FORWARD,
    MARK_MASQ,
    NODE_PORTS,
    PROXY_CANARY,
    PROXY_FIREWALL,
    SERVICES,
    ChainRole,
    role_of,
    roles_of,
)
from ipt_explain.model import Chain, Form, Ruleset
from ipt_explain.records import Record
from ipt_explain.services.evidence import rules_of

OLDEST, NEWEST = 1, 99
# Enough rules to see a form that every rule of its kind has.
_SAMPLE = 400
# Signs in a Service's chain.
_WITH_MARKS, _NAMED_ENDPOINT, _FIVE_DIGITS = 22, " -> ", "0.33332999"
# Ends of comments on Services whose port has no name.
_UNNAMED = (": cluster IP", ": loadbalancer IP", ": external IP")


class VersionRange(Record):
    """kube-proxy 1.`first` to 1.`last`; `evidence` are the signs, in words."""

    first: int
    last: int
    evidence: tuple[str, ...]

    @property
    def text(self) -> str | None:
        """The range in words; None if nothing shows it."""
        if self.first == OLDEST and self.last == NEWEST:
            return None
        if self.last == NEWEST:
            return f"1.{self.first} or later"
        if self.first == OLDEST:
            return f"1.{self.last} or earlier"
        return f"1.{self.first}" if self.first == self.last else f"1.{self.first} to 1.{self.last}"


class _Evidence:
    def __init__(self) -> None:
        self.first, self.last = OLDEST, NEWEST
        self.signs: list[str] = []

    def at_least(self, minor: int, sign: str) -> None:
        if minor > self.first:
            self.first = minor
            self.signs.append(sign)

    def at_most(self, minor: int, sign: str) -> None:
        if minor < self.last:
            self.last = minor
            self.signs.append(sign)


def recognise_version(ruleset: Ruleset, plans: Plans) -> VersionRange:
    """The releases that could have written these rules. Signs that exclude each other (leftovers) give no range."""
    found = _Evidence()
    nat, filter_table = ruleset.tables.get("nat"), ruleset.tables.get("filter")
    nat_chains = {} if nat is None else nat.chains
    filter_chains = {} if filter_table is None else filter_table.chains
    _read_names(found, nat_chains, filter_chains)
    _read_comments(found, nat_chains.get(SERVICES), plans)
    sampled = list(_service_chains(nat_chains))
    if found.first < _WITH_MARKS or _has_any(sampled, _NAMED_ENDPOINT, _FIVE_DIGITS):
        for chain in sampled:
            if _read_service_chain(found, chain, plans):
                break
    if FORWARD in filter_chains:
        _read_forward(found, filter_chains[FORWARD], plans)
    if ruleset.form is Form.SAVE and filter_chains and found.first < 21 and NODE_PORTS not in filter_chains:
        found.at_most(20, "no KUBE-NODEPORTS in filter")
    if found.first > found.last:
        return VersionRange(OLDEST, NEWEST, ())
    return VersionRange(found.first, found.last, tuple(found.signs))


def _read_names(found: _Evidence, nat: Mapping[str, Chain], in_filter: Mapping[str, Chain]) -> None:
    roles = roles_of(nat)
    if PROXY_FIREWALL in in_filter:
        found.at_least(25, "KUBE-PROXY-FIREWALL")
    if ChainRole.EXTERNAL in roles or ChainRole.LOCAL in roles:
        found.at_least(24, "KUBE-EXT chains" if ChainRole.EXTERNAL in roles else "KUBE-SVL chains")
    if NODE_PORTS in in_filter:
        found.at_least(21, "KUBE-NODEPORTS in filter")
    if PROXY_CANARY in nat:
        found.at_least(16, "KUBE-PROXY-CANARY")
    if EXTERNAL_SERVICES in in_filter:
        found.at_least(10, "KUBE-EXTERNAL-SERVICES")
    if ChainRole.LOCAL_EXTERNAL in roles:
        found.at_most(23, "KUBE-XLB chains")


def _read_comments(found: _Evidence, services: Chain | None, plans: Plans) -> None:
    if services is None or not _has_any([services], *_UNNAMED, MARK_MASQ):
        return
    for rule in islice(rules_of(services), _SAMPLE):
        plan = plans[rule.shape]
        comment = plan.comment_of(rule)
        if comment is None:
            continue
        if comment.endswith(_UNNAMED):
            found.at_most(19, "names of unnamed ports end in a colon")
        if rule.target == MARK_MASQ and comment.endswith(" cluster IP"):
            found.at_most(21, "KUBE-MARK-MASQ next to the ClusterIP in KUBE-SERVICES")


def _service_chains(nat: Mapping[str, Chain]) -> Iterator[Chain]:
    """Some chains that KUBE-SERVICES leads to; in a fragment without it, the text's first."""
    services = nat.get(SERVICES)
    if services is not None:
        targets = [rule.target for rule in islice(rules_of(services), _SAMPLE)]
    else:
        targets = [name for name in islice(nat, _SAMPLE) if role_of(name) is ChainRole.SERVICE]
    for target in targets:
        if target is not None and target in nat:
            yield nat[target]


def _read_service_chain(found: _Evidence, chain: Chain, plans: Plans) -> bool:
    if found.first >= _WITH_MARKS and not _has_any([chain], _NAMED_ENDPOINT, _FIVE_DIGITS):
        return False  # nothing new
    for rule in rules_of(chain):
        plan = plans[rule.shape]
        comment = plan.comment_of(rule) or ""
        target = rule.target or ""
        if role_of(target) is ChainRole.ENDPOINT and _NAMED_ENDPOINT in comment:
            found.at_least(24, "endpoints named in KUBE-SVC comments")
            return True
        if target == MARK_MASQ and plan.destination is not None:
            found.at_least(_WITH_MARKS, "KUBE-MARK-MASQ for the ClusterIP inside KUBE-SVC")
        if plan.probability is not None and plan.probability.at(rule).startswith(_FIVE_DIGITS):
            found.at_most(16, "five-digit probabilities")
            return True
    return False


def _has_any(chains: Iterable[Chain], *signs: str) -> bool:
    """Whether words of these chains hold one of the signs."""
    words = "\n".join(flatten.from_iterable([chain.values for chain in chains]))
    return any(sign in words for sign in signs)


def _read_forward(found: _Evidence, forward: Chain, plans: Plans) -> None:
    comments = {plans[rule.shape].comment_of(rule) for rule in forward.rules}
    if "kubernetes forwarding conntrack rule" in comments:
        found.at_least(23, "one conntrack rule in KUBE-FORWARD")
    if "kubernetes forwarding conntrack pod source rule" in comments:
        found.at_most(22, "two conntrack rules in KUBE-FORWARD")
    if any("nfacct" in plans[rule.shape].other or rule.shape.has_match("nfacct") for rule in forward.rules):
        found.at_least(31, "nfacct in KUBE-FORWARD")
