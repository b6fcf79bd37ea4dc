"""A dump without its services: policies, hooks, kube-proxy's own chains, other components' chains.

It never contains chain names of services, so it does not depend on which services exist.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ipt_explain.analyzers.iptables.plans import Plans, RulePlan
from ipt_explain.analyzers.names import (
    EXTERNAL_SERVICES,
    MARK_MASQ,
    NODE_PORTS,
    POSTROUTING,
    PROXY_FIREWALL,
    SERVICES,
    unhashed,
)
from ipt_explain.analyzers.owners.kube import role_of_kube_chain
from ipt_explain.analyzers.owners.owner import owner_of, owner_of_rule
from ipt_explain.compare.canonical import RuleTexts
from ipt_explain.compare.completeness import shows_all
from ipt_explain.model import Backend, Chain, Dump, Family, Rule, Ruleset, Shape
from ipt_explain.netfilter.hooks import is_built_in
from ipt_explain.records import Record, field

_OF_SERVICES = frozenset({SERVICES, EXTERNAL_SERVICES, NODE_PORTS, PROXY_FIREWALL})
NOBODY = "unknown owner"

Place = tuple[str, str]
"""Table and chain."""

SkeletonKey = tuple[Family, Backend | None]


class PlacedRule(Record):
    """A rule of a built-in chain: a hook, which leads to kube-proxy's or kubelet's chains (`owner` None), or a rule of
    another component."""

    owner: str | None
    text: str

    @property
    def is_hook(self) -> bool:
        """Whether it leads to kube-proxy's chains."""
        return self.owner is None


class ForeignChain(Record):
    """A chain, or rules in a built-in chain, of another component."""

    owner: str
    rules: tuple[str, ...]


class Skeleton(Record):
    """One ruleset without its services. Rules are texts without comments and counters; empty chains are left out.

    `built_in` are the rules of built-in chains in order, hooks and other components' rules; `system` are kube-proxy's
    own chains that serve all Services. `complete` is False if the text may lack rules.
    """

    complete: bool
    policies: Mapping[Place, str] = field(default_factory=dict)
    built_in: Mapping[Place, tuple[PlacedRule, ...]] = field(default_factory=dict)
    system: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)
    foreign: Mapping[Place, ForeignChain] = field(default_factory=dict)

    def within(self, tables: Collection[str]) -> Skeleton:
        """The part in some tables."""
        return Skeleton(
            self.complete,
            {place: policy for place, policy in self.policies.items() if place[0] in tables},
            {place: rules for place, rules in self.built_in.items() if place[0] in tables},
            {place: rules for place, rules in self.system.items() if place[0] in tables},
            {place: chain for place, chain in self.foreign.items() if place[0] in tables},
        )


def skeletons(dump: Dump) -> dict[SkeletonKey, Skeleton]:
    """The skeletons of a dump by family, and by backend only where a family has rules in both."""
    families = [ruleset.family for ruleset in dump.rulesets]
    reader = _SkeletonReader()
    return {
        (ruleset.family, ruleset.backend if families.count(ruleset.family) > 1 else None): reader.read(ruleset)
        for ruleset in dump.rulesets
    }


class _SkeletonReader:
    def __init__(self) -> None:
        self._texts = RuleTexts()
        self._plans = Plans()

    def read(self, ruleset: Ruleset) -> Skeleton:
        policies: dict[Place, str] = {}
        built_in: dict[Place, tuple[PlacedRule, ...]] = {}
        system: dict[Place, tuple[str, ...]] = {}
        foreign: dict[Place, ForeignChain] = {}
        for table in ruleset.tables.values():
            for name in unhashed(table.chains):
                place, chain = (table.name, name), table.chains[name]
                if is_built_in(table.name, name):
                    if chain.policy not in (None, "ACCEPT"):
                        policies[place] = str(chain.policy)
                    built_in[place] = tuple(self._placed(rule, table.name) for rule in chain.rules)
                elif not chain.layout.shapes:
                    continue
                elif role_of_kube_chain(name, table.name) is not None:
                    system[place] = self._system(chain)
                else:
                    owner = owner_of(name, chain.rules, table.name)
                    rules = tuple(map(self._texts.text, chain.rules))
                    foreign[place] = ForeignChain(owner.name if owner is not None else NOBODY, rules)
        return Skeleton(
            shows_all(ruleset),
            policies,
            {place: rules for place, rules in built_in.items() if rules},
            {place: rules for place, rules in system.items() if rules},
            foreign,
        )

    def _placed(self, rule: Rule, table: str) -> PlacedRule:
        target = rule.target
        text = self._texts.text(rule)
        if target is not None and role_of_kube_chain(target, table) is not None:
            return PlacedRule(None, text)
        owner = owner_of_rule(rule, table)
        return PlacedRule(owner.name if owner is not None else NOBODY, text)

    def _system(self, chain: Chain) -> tuple[str, ...]:
        shapes = chain.layout.shapes
        serving: set[Shape] = set()
        if chain.name in _OF_SERVICES:
            serving = {shape for shape in set(shapes) if _serves(self._plans[shape], chain.name)}
        texts = [self._texts.text(chain.rule(number)) for number, shape in enumerate(shapes) if shape not in serving]
        if chain.name == POSTROUTING:
            return _masquerading(texts)
        # Up to 1.22, KUBE-FORWARD had one rule twice, with different comments.
        return tuple(dict.fromkeys(texts))


def _serves(plan: RulePlan, chain: str) -> bool:
    """Whether a rule is about one service port: its address and port, or a node port."""
    if plan.destination_port is None:
        return False
    return (
        chain in (NODE_PORTS, EXTERNAL_SERVICES, PROXY_FIREWALL)
        or plan.destination is not None
        or (plan.destination_type is not None)
    )


def _masquerading(texts: list[str]) -> tuple[str, ...]:
    """KUBE-POSTROUTING, with its two ways to masquerade marked packets made equal."""
    lead = f"-A {POSTROUTING}"
    if len(texts) == 3 and texts[0].startswith(f"{lead} -m mark ! --mark ") and texts[0].endswith(" -j RETURN"):
        mark = texts[0].removeprefix(f"{lead} -m mark ! --mark ").removesuffix(" -j RETURN")
        toggles = texts[1] == f"{lead} -j MARK --set-xmark {mark.partition('/')[0]}/0x0"
        if toggles and texts[2].startswith(f"{lead} -j MASQUERADE"):
            return (f"{lead} -m mark --mark {mark}{texts[2].removeprefix(lead)}",)
    return tuple(texts)


SETS_MARK = ("nat", MARK_MASQ)
MASQUERADES = ("nat", POSTROUTING)
