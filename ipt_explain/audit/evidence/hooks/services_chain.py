"""nat KUBE-SERVICES as a list: rules for single Services, then the jump to node ports, and rules that end the list
early."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.analyzers.iptables.plans import Plans, RulePlan
from ipt_explain.analyzers.names import MARK_MASQ, NODE_PORTS, SERVICES, role_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.conditions import conditions_of
from ipt_explain.audit.evidence.hooks.hook_states import hooks
from ipt_explain.audit.fact import fact
from ipt_explain.graph.never_returning import FINAL_TARGETS
from ipt_explain.model import Chain, Rule
from ipt_explain.netfilter.header import network_bits
from ipt_explain.records import Record, field
from ipt_explain.services.ports import ProxyMode


class Ender(Record):
    """A rule that takes packets out of the list, and the Service rules after it that lose them."""

    rule: Rule
    unconditional: bool
    lost: tuple[Rule, ...]


class ServicesChain(Record):
    """What was found in nat KUBE-SERVICES.

    `chain` is None if the text lacks it. `node_ports` are the jumps to KUBE-NODEPORTS; `behind_node_ports` are Service
    rules after the first of them. `unguarded_node_ports` lead there whatever the destination; `narrowed_node_ports`
    have other conditions too, given in words. `enders` are rules that lead to no Service but end some packets' walk.
    """

    chain: Chain | None = None
    node_ports: tuple[Rule, ...] = ()
    behind_node_ports: tuple[Rule, ...] = ()
    unguarded_node_ports: tuple[Rule, ...] = ()
    narrowed_node_ports: tuple[tuple[Rule, tuple[str, ...]], ...] = ()
    enders: tuple[Ender, ...] = ()


class _List(Record, frozen=False):
    """What has been read of the list so far."""

    node_ports: list[Rule] = field(default_factory=list)
    behind: list[Rule] = field(default_factory=list)
    leading: list[int] = field(default_factory=list)  # numbers of rules that lead to Services
    enders: list[tuple[Rule, int]] = field(default_factory=list)  # with the number of leading rules before it


# A hostile list may hold nothing but rules that cut it short.
_MAX_ENDERS = 16
_MAX_COMPARED = 5_000


@fact
def services_chain(context: RulesetContext) -> ServicesChain:
    """nat KUBE-SERVICES as kube-proxy's iptables mode writes it; empty in IPVS mode, which writes it differently."""
    chain = context.chain("nat", SERVICES)
    if chain is None or context.facts.mode is ProxyMode.IPVS:
        return ServicesChain()
    plans, found = context.plans, _List()
    for number, shape in enumerate(chain.layout.shapes):
        plan = plans[shape]
        target = chain.target_of(number)
        if target == NODE_PORTS:
            found.node_ports.append(chain.rule(number))
        elif target in FINAL_TARGETS:
            found.enders.append((chain.rule(number), len(found.leading)))
        elif target is not None and role_of(target) is not None:
            if plan.destination is None or plan.destination.negated:
                found.enders.append((chain.rule(number), len(found.leading)))
            found.leading.append(number)
            if found.node_ports:
                found.behind.append(chain.rule(number))
        elif target != MARK_MASQ and plan.goto:
            found.enders.append((chain.rule(number), len(found.leading)))
    return ServicesChain(
        chain,
        tuple(found.node_ports),
        tuple(found.behind),
        tuple(rule for rule in found.node_ports if not _guarded(plans[rule.shape], rule)),
        tuple((rule, words) for rule in found.node_ports if (words := _narrowed(rule))),
        tuple(
            _ender(rule, [chain.rule(number) for number in found.leading[ahead:]], plans)
            for rule, ahead in found.enders[:_MAX_ENDERS]
        ),
    )


def may_be_narrowed(context: RulesetContext) -> bool:
    """Whether there are hooks, or jumps to node ports that have other conditions."""
    return any(state.rules for state in hooks(context)) or bool(services_chain(context).narrowed_node_ports)


def _guarded(plan: RulePlan, rule: Rule) -> bool:
    """Whether only packets to the node's own addresses go to node ports."""
    if plan.destination is not None and not plan.destination.negated:
        return True
    kind = plan.destination_type
    return kind is not None and not kind.negated and kind.at(rule) == "LOCAL"


def _narrowed(rule: Rule) -> tuple[str, ...]:
    words = conditions_of(rule, but_new=True)
    return tuple(word for word in words if not word.removeprefix("! ").startswith(("-d ", "--dst-type ")))


def _ender(rule: Rule, behind: Sequence[Rule], plans: Plans) -> Ender:
    """What a rule takes from the Service rules after it, judged by destination, protocol and port alone."""
    plan = plans[rule.shape]
    own = rule in behind[:1]  # a Service rule that takes more than its own packets is in the list itself
    others = behind[1:] if own else behind
    if plan.unconditional and plan.protocol is None:
        return Ender(rule, True, tuple(others))
    compared = others[:_MAX_COMPARED]
    return Ender(rule, False, tuple(other for other in compared if _may_take(plan, rule, plans[other.shape], other)))


def _may_take(plan: RulePlan, rule: Rule, other_plan: RulePlan, other: Rule) -> bool:
    """Whether a rule can match packets of another. Its other conditions are assumed to match some of them."""
    if plan.other:
        return False
    for mine, theirs in ((plan.protocol, other_plan.protocol), (plan.destination_port, other_plan.destination_port)):
        if mine is not None and theirs is not None and (mine.at(rule) == theirs.at(other)) is mine.negated:
            return False
    if plan.destination is None or other_plan.destination is None:
        return True
    try:
        value, mask = network_bits(plan.destination.at(rule))
        wanted, wanted_mask = network_bits(other_plan.destination.at(other))
    except ValueError:
        return False
    inside = not (value ^ wanted) & mask & wanted_mask
    return inside is not plan.destination.negated
