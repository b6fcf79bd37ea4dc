"""The forms of rule that kube-proxy and kubelet write into their chains, and rules there that have another form.

A form is the conditions of a rule (without their values) and its target. Facts: pkg/proxy/iptables/proxier.go 1.2 to
1.33, pkg/kubelet/kubelet_network_linux.go; OpenShift's and IPVS mode's own forms are allowed too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ipt_explain.analyzers.iptables.endpoints import split_destination
from ipt_explain.analyzers.names import (
    BACKEND_HINT,
    EXTERNAL_SERVICES,
    FIREWALL,
    FORWARD,
    KUBELET_CANARY,
    MARK_DROP,
    MARK_MASQ,
    NODE_PORTS,
    POSTROUTING,
    PROXY_CANARY,
    PROXY_FIREWALL,
    SERVICES,
    ChainRole,
)
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.balancing.hairpins import is_own_mark
from ipt_explain.audit.fact import fact
from ipt_explain.model import Form, Hidden, Rule, Shape, TargetKind
from ipt_explain.model.by_shape import SameLayout
from ipt_explain.records import Record
from ipt_explain.services.ports import ProxyMode


class RuleForm(Record):
    """Rules that lead to a target whose name begins with one of `targets`, under the conditions `needs` and any of
    `may`.

    A condition is an option's name, after `!` if negated. An empty target is a rule that only has a comment.
    """

    targets: tuple[str, ...]
    needs: frozenset[str]
    may: frozenset[str]


def _form(targets: str, needs: str = "", may: str = "") -> RuleForm:
    return RuleForm(tuple(targets.split("|")), frozenset(needs.split()), frozenset(may.split()))


_SERVICE = "KUBE-SVC-|KUBE-SVL-|KUBE-EXT-|KUBE-FW-|KUBE-XLB-"
_NOT_LOCAL = "!-s !-i"  # how the detectors of local traffic match other traffic
_LOCAL = "-s -i"
_ADDRESS = "-d -p --dport"
_RANDOM = "--mode --probability"
_AFFINITY = "--rcheck --seconds --name"
_AFFINITY_MAY = "--reap --mask --rsource"

_TO_SERVICE = (
    _form(_SERVICE, _ADDRESS, "--dst-type"),
    _form(_SERVICE, f"{_ADDRESS} !--physdev-is-in !--src-type"),  # external IPs up to 1.20
    _form(MARK_MASQ, _ADDRESS, _NOT_LOCAL),
    _form(NODE_PORTS, "--dst-type", "!-d"),
    _form(NODE_PORTS, "-d"),
    _form("MARK", _ADDRESS),  # 1.1
)
_NODE_PORT = (
    _form(_SERVICE, "-p --dport", "-d --nfacct-name"),
    _form(MARK_MASQ, "-p --dport", "-s !-s !-i"),
)
_BALANCE = (
    _form("KUBE-SEP-"),
    _form("KUBE-SEP-", _RANDOM),
    _form("KUBE-SEP-", _AFFINITY, _AFFINITY_MAY),
    _form(MARK_MASQ, "-p --dport", f"-d {_NOT_LOCAL}"),
    _form(MARK_DROP),
)
_EXTERNAL = (
    _form(MARK_MASQ),
    _form(MARK_MASQ, "--src-type"),
    _form("KUBE-SVC-|KUBE-SVL-"),
    _form("KUBE-SVC-", "-s"),
    _form("KUBE-SVC-", "-i"),
    _form("KUBE-SVC-", "--src-type"),
)
_XLB = (
    *_EXTERNAL[:2],
    *_EXTERNAL[3:],
    *_BALANCE[:3],
    _form(MARK_DROP),
)
_LOAD_BALANCER = (
    _form(MARK_MASQ),
    _form("KUBE-SVC-|KUBE-XLB-|KUBE-EXT-", "", "-s"),
    _form(MARK_DROP),
    _form(""),
)
_ENDPOINT = (
    _form(f"{MARK_MASQ}|MARK", "-s"),
    _form("DNAT", "-p", "--set --name --mask --rsource"),
)
_SNAT = (
    _form("MASQUERADE", "", "--mark"),
    _form("RETURN", "!--mark"),
    _form("MARK"),
    _form("MASQUERADE", "--match-set"),  # ipvs
)
_REFUSAL = (_form("REJECT|DROP", _ADDRESS), _form("REJECT|DROP", "-p --dport --dst-type"))
_FORWARDING = (
    _form("DROP", "--ctstate", "--nfacct-name"),
    _form("ACCEPT", "--mark"),
    _form("ACCEPT", "--ctstate", _LOCAL + " -d"),
)
_DROPPING = (_form("DROP", "--mark"), _form("DROP", "!-s -d !--ctstate"))
_SOURCE_RANGES = (_form("DROP", _ADDRESS), _form("KUBE-SOURCE-RANGES-FIREWALL", "--match-set"))
_HEALTH = (_form("ACCEPT", "-p --dport", "--nfacct-name"),)

_NAT_FORMS: Mapping[str, Sequence[RuleForm]] = {
    SERVICES: _TO_SERVICE,
    NODE_PORTS: _NODE_PORT,
    "KUBE-SVC-": _BALANCE,
    "KUBE-SVL-": _BALANCE,
    "KUBE-EXT-": _EXTERNAL,
    "KUBE-XLB-": _XLB,
    "KUBE-FW-": _LOAD_BALANCER,
    "KUBE-SEP-": _ENDPOINT,
    MARK_MASQ: (_form("MARK"),),
    MARK_DROP: (_form("MARK"),),
    POSTROUTING: _SNAT,
}
_FILTER_FORMS: Mapping[str, Sequence[RuleForm]] = {
    SERVICES: _REFUSAL,
    EXTERNAL_SERVICES: _REFUSAL,
    NODE_PORTS: _HEALTH,
    FORWARD: _FORWARDING,
    FIREWALL: _DROPPING,
    PROXY_FIREWALL: _SOURCE_RANGES,
}
_FORMS = {"nat": _NAT_FORMS, "filter": _FILTER_FORMS}
_IN_BOTH = {name: (*_NAT_FORMS[name], *_FILTER_FORMS[name]) for name in (SERVICES, NODE_PORTS)}
_AS_WRITTEN = 2  # rules of an endpoint chain: a mark, a DNAT
_ALWAYS_EMPTY = (PROXY_CANARY, KUBELET_CANARY, BACKEND_HINT)
# Comments of the other target: without any endpoint it refuses, without local ones it drops.
_REFUSED_OTHERWISE = {"DROP": " has no endpoints", "REJECT": " has no local endpoints"}
# IPVS mode writes other forms here.
_NOT_IN_IPVS = frozenset({SERVICES, NODE_PORTS})


class ForeignRule(Record):
    """A rule in a kube-proxy chain that has none of the forms written there. `empty`: nothing is ever written there."""

    table: str
    rule: Rule
    empty: bool


@fact
def foreign_rules(context: RulesetContext) -> tuple[ForeignRule, ...]:
    """All foreign rules, in the order of the text."""
    found: list[ForeignRule] = []
    ipvs = context.facts.mode is ProxyMode.IPVS
    fragment = context.ruleset.form is Form.FRAGMENT
    for table, by_name in _FORMS.items():
        for name, forms in by_name.items():
            if not (ipvs and name in _NOT_IN_IPVS):
                # Two tables have KUBE-SERVICES and KUBE-NODEPORTS; a fragment may not show which one it is.
                kind = _ChainKind(_IN_BOTH.get(name, forms) if fragment else forms)
                rules = (rule for alike in _chains(context, table, name) for rule in kind.foreign(alike))
                # In a fragment, a rule without a target is most likely a line that was cut off.
                found += [ForeignRule(table, rule, False) for rule in rules if rule.target or not fragment]
    found += [ForeignRule("nat", rule, False) for rule in _extra_marks(context.hashed[ChainRole.ENDPOINT].values())]
    for table in context.ruleset.tables:
        for name in _ALWAYS_EMPTY:
            found += [ForeignRule(table, rule, True) for rule in context.ruleset.rules(table, name)]
    return tuple(sorted(found, key=lambda each: each.rule.line))


def _extra_marks(endpoint_chains: Iterable[SameLayout]) -> Iterator[Rule]:
    """Rules of endpoint chains that mark connections from other sources, next to the mark for the endpoint's own."""
    for chain in (chain for alike in endpoint_chains if len(alike.layout) > _AS_WRITTEN for chain in alike.chains):
        dnat = next((rule for rule in chain.rules if rule.target == "DNAT"), None)
        host = None if dnat is None else split_destination(dnat.target_value("--to-destination") or "")[0]
        marks = [rule for rule in chain.rules if rule.target in (MARK_MASQ, "MARK")]
        own = [rule for rule in marks if is_own_mark(rule, host or "")]
        if own:
            yield from (rule for rule in marks if rule not in own and _conditions(rule.shape) == {"-s"})


def _chains(context: RulesetContext, table: str, name: str) -> Iterable[SameLayout]:
    """The chain of a name, or all with a prefix, by layout."""
    if name.endswith("-"):
        return context.hashed[ChainRole(name)].values()
    chain = context.chain(table, name)
    if chain is None:
        return ()
    alone = SameLayout(chain.layout)
    alone.add(0, chain)
    return (alone,)


class _ChainKind:
    """One kind of chain."""

    def __init__(self, forms: Sequence[RuleForm]) -> None:
        self._forms = forms
        self._refusing = forms is _REFUSAL

    def foreign(self, alike: SameLayout) -> Iterator[Rule]:
        """The rules of chains of this kind, of one layout, that have none of its forms."""
        for shape, numbers in alike.layout.numbers().items():
            if Hidden.CONDITIONS in shape.hidden:
                continue
            targets = self._targets_of(shape)
            if targets and not self._refusing:
                places = list(filter(None, map(alike.layout.target_place, numbers)))
                if not places or _begin_with(targets, alike.distinct(*places)):
                    continue
            for chain in alike.chains:
                for number in numbers:
                    if not (chain.target_of(number) or "").startswith(targets) or (
                        self._refusing and _contradicts_comment(chain.rule(number))
                    ):
                        yield chain.rule(number)

    def _targets_of(self, shape: Shape) -> tuple[str, ...]:
        """The names that targets of rules of a shape may begin with; none where the form itself is foreign."""
        if shape.target is not None and shape.target.kind is TargetKind.GOTO:
            return ()
        conditions = _conditions(shape)
        fitting = [form for form in self._forms if form.needs <= conditions <= form.needs | form.may]
        targets = tuple(target for form in fitting for target in form.targets)
        if shape.target is None:
            return targets if "" in targets else ()
        if shape.target.slot is None:
            return targets if shape.target.name in targets else ()
        return tuple(filter(None, targets))


def _begin_with(starts: tuple[str, ...], words: Collection[str]) -> bool:
    """Whether all words begin with one of these prefixes. If the first and last in alphabetical order begin with the
    same one, so do all between them."""
    first, last = min(words), max(words)
    return any(first.startswith(start) and last.startswith(start) for start in starts) or all(
        word.startswith(starts) for word in words
    )


def _conditions(shape: Shape) -> frozenset[str]:
    options = [
        *shape.core,
        *(option for match in shape.matches if match.module != "comment" for option in match.options),
    ]
    return frozenset(("!" if option.negated else "") + option.name for option in options)


def _contradicts_comment(rule: Rule) -> bool:
    otherwise = _REFUSED_OTHERWISE.get(rule.target or "")
    return otherwise is not None and (rule.comment or "").endswith(otherwise)
