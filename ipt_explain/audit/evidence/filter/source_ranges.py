"""Whether loadBalancerSourceRanges work: clients outside all ranges are dropped.

Facts: pkg/proxy/iptables/proxier.go. Up to 1.24 KUBE-FW ends with a jump to KUBE-MARK-DROP. From 1.25 on packets from
outside all ranges leave KUBE-FW untranslated, and filter KUBE-PROXY-FIREWALL drops packets that still have the load
balancer's address.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import MARK_DROP, MARK_MASQ, PROXY_FIREWALL, ChainRole, role_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.conditions import asked_states
from ipt_explain.audit.evidence.filter.refusals import refusals_in
from ipt_explain.audit.evidence.marks.cluster_ip_marks import Address, address_at, address_of
from ipt_explain.model import Chain, Rule, Ruleset
from ipt_explain.netfilter.header import network_bits, parse_address, protocol_number
from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.journey import Journey
from ipt_explain.netfilter.walk.path import Step
from ipt_explain.netfilter.whereabouts import Bits
from ipt_explain.records import Record, replace
from ipt_explain.services.fates import Vantage
from ipt_explain.services.ports import Frontend, ServicePort

# What neither leads to a Service nor takes the mark off.
_IDLE = frozenset({MARK_DROP, MARK_MASQ, "ACCEPT", "RETURN", None})
EVERYWHERE = frozenset({"0.0.0.0/0", "::/0"})


class OpenRanges(Record):
    """A load balancer address whose ranges keep nobody out. `near` is a rule that looks intended to drop, if there is
    one."""

    service: ServicePort
    frontend: Frontend
    firewall: Chain
    near: Rule | None


def ranged_frontends(context: RulesetContext) -> Iterator[tuple[ServicePort, Frontend]]:
    """Every frontend that is closed to some sources."""
    for service, frontend in context.frontends:
        if frontend.source_ranges and EVERYWHERE.isdisjoint(frontend.source_ranges):
            yield service, frontend


def open_ranges(context: RulesetContext, by_filter: bool) -> tuple[OpenRanges, ...]:
    """Load balancer addresses whose ranges are not enforced; `by_filter` as 1.25 and later do it.

    Up to 1.24 an address that is open to everybody also has a firewall.
    """
    dropped, named = refusals_in(context, PROXY_FIREWALL), _by_firewall(context.ruleset)
    found = []
    firewalled = [each for each in context.frontends if each[1].source_ranges]
    for service, frontend in ranged_frontends(context) if by_filter else firewalled:
        firewall = context.chain("nat", frontend.rule.target or "")
        if firewall is None or role_of(firewall.name) is not ChainRole.FIREWALL:
            continue
        if by_filter:
            if address_at(service, frontend) not in dropped:
                found.append(OpenRanges(service, frontend, firewall, named.get(firewall.name)))
        elif not _ends_in_mark(firewall, context.plans):
            near = next((rule for rule in firewall.rules if rule.target == MARK_DROP), None)
            found.append(OpenRanges(service, frontend, firewall, near))
    return tuple(found)


def _by_firewall(ruleset: Ruleset) -> Mapping[str, Rule]:
    """The rules of KUBE-PROXY-FIREWALL by the KUBE-FW chain that their comments name."""
    named: dict[str, Rule] = {}
    for rule in ruleset.rules("filter", PROXY_FIREWALL):
        named.setdefault(_firewall_named(rule), rule)
    return named


def _firewall_named(rule: Rule) -> str:
    return (rule.comment or "").rpartition(" ")[2]


def _ends_in_mark(firewall: Chain, plans: Plans) -> bool:
    """Whether its last rule marks everything left for dropping, but for rules that change nothing about that."""
    for rule in reversed(firewall.rules):
        if rule.target == MARK_DROP and plans[rule.shape].unconditional and plans[rule.shape].protocol is None:
            return True
        if rule.target not in _IDLE:
            return False
    return False


def misdirected_drops(context: RulesetContext) -> Iterator[tuple[Rule, str]]:
    """Drops of KUBE-PROXY-FIREWALL whose comment names a KUBE-FW chain that another address and port leads to; and
    that chain."""
    rules = context.ruleset.rules("filter", PROXY_FIREWALL)
    if not rules:
        return
    leading: dict[str, set[Address]] = defaultdict(set)
    for service, frontend in context.frontends:
        leading[frontend.rule.target or ""].add(address_at(service, frontend))
    for rule in rules:
        firewall = _firewall_named(rule)
        if firewall in leading and address_of(context.plans[rule.shape], rule) not in leading[firewall]:
            yield rule, firewall


def accepts_of_strangers(context: RulesetContext) -> tuple[Rule, ...]:
    """Rules of filter that let clients outside all ranges reach load balancers' addresses: before KUBE-PROXY-FIREWALL,
    if FORWARD leads there."""
    headings: dict[str, list[Heading]] = {}
    ranges: dict[Bits, None] = {}
    for service, frontend in ranged_frontends(context):
        heading = _heading(frontend)
        if heading is not None:
            headings.setdefault(service.protocol, []).append(heading)
            ranges.update(dict.fromkeys(_networks(frontend.source_ranges)))
    found: dict[Rule, None] = {}
    for protocol, ours in headings.items():
        found.update(dict.fromkeys(_accepting(context, protocol, ours, tuple(ranges))))
    return tuple(found)


def _accepting(
    context: RulesetContext, protocol: str, headings: Sequence[Heading], ranges: tuple[Bits, ...]
) -> Iterator[Rule]:
    node, surroundings = context.around
    stranger = replace(surroundings.outside, outside=(*surroundings.outside.outside, *ranges))
    start = surroundings.departure(Vantage.OUTSIDE, protocol_number(protocol) or 0)
    elsewhere = start.node.foreign_addresses.union(each for each, *_ in headings if isinstance(each, int))
    journey = Journey(node, headings)
    journey.begin(
        start._replace(
            source=stranger,
            connection=replace(start.connection, source=stranger),
            node=replace(start.node, foreign_addresses=elsewhere),
        )
    )
    for finish, packets in journey.ends():
        path = packets.path(0)
        if path is None or finish.verdict is not Verdict.ACCEPT or finish.state.dnat:
            continue
        for step in path.steps():
            rule = step.rule if isinstance(step, Step) and step.table == "filter" else None
            if rule is None or rule.target != "ACCEPT" or rule.chain == PROXY_FIREWALL:
                continue
            if step.after is not None and not step.after.answers:
                yield rule


def _heading(frontend: Frontend) -> Heading | None:
    try:
        return None if frontend.address is None else Heading(parse_address(frontend.address), frontend.port)
    except ValueError:
        return None


def _networks(texts: Iterable[str]) -> Iterator[Bits]:
    for text in texts:
        try:
            yield network_bits(text)
        except ValueError:
            continue


def broad_accepts(built_in: Chain, until: Rule, protocols: Collection[str | None]) -> tuple[Rule, ...]:
    """ACCEPT rules before another rule that test no destination or port, and accept new connections of these protocols.

    Rules for packets from lo are left out: such packets are not forwarded, and pass OUTPUT, which has its own hook.
    """
    found = []
    for rule in built_in.rules:
        if rule is until:
            break
        if rule.target == "ACCEPT" and not _is_over_lo(rule) and _lets_new_pass(rule, protocols):
            found.append(rule)
    return tuple(found)


def _is_over_lo(rule: Rule) -> bool:
    option = rule.shape.core_option("-i")
    return option is not None and not option.negated and rule.first(option) == "lo"


def _lets_new_pass(rule: Rule, protocols: Collection[str | None]) -> bool:
    protocol = rule.shape.core_option("-p")
    if rule.shape.core_option("-d") is not None:
        return False
    if protocol is not None and (protocol.negated or rule.first(protocol) not in protocols):
        return False
    for match in rule.shape.matches:
        if match.module == "comment":
            continue
        if match.module not in ("conntrack", "state"):
            return False
        if "NEW" not in asked_states(rule):
            return False
    return True
