"""The rules of nat KUBE-SERVICES and KUBE-NODEPORTS that lead to Services, seen together: which take the same address,
which take more than one, and which Service their comments name.
"""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.analyzers.iptables.plans import RulePlan
from ipt_explain.analyzers.names import MARK_MASQ, NODE_PORTS, SERVICES, hash_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.model import Rule
from ipt_explain.netfilter.header.protocols import usual_name
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class Clash:
    """Two rules for one address that lead to different services; the later one gets nothing."""

    first: Rule
    second: Rule


@dataclass(frozen=True, slots=True)
class NamedWay:
    """A rule whose comment names its service port, as spelled there. `key` is the hash of the chain that it leads
    to."""

    rule: Rule
    name: str
    protocol: str
    key: str


@dataclass(frozen=True, slots=True)
class FrontRules:
    """`clashes` are of addresses, `node_port_clashes` of node ports; `wide` rules take more than one host. `protocols`
    has the protocol of each service port by the hash of its chains, `addresses` the rule by `host`, protocol, port."""

    clashes: tuple[Clash, ...]
    node_port_clashes: tuple[Clash, ...]
    wide: tuple[Rule, ...]
    ways: tuple[NamedWay, ...]
    protocols: Mapping[str, str]
    addresses: Mapping[tuple[str, str, str], Rule]
    node_ports: Mapping[tuple[str, str], Rule]


@fact
def front_rules(context: RulesetContext) -> FrontRules:
    """The rules that lead to Services."""
    return _Reader(context).read()


class _Reader:
    def __init__(self, context: RulesetContext) -> None:
        self._context = context
        self._plans = context.plans
        self._ways: list[NamedWay] = []
        self._wide: list[Rule] = []
        self._protocols: dict[str, str] = {}

    def read(self) -> FrontRules:
        addresses: dict[tuple[str, str, str], Rule] = {}
        ports: dict[tuple[str, str, str], Rule] = {}
        clashes = self._chain(SERVICES, addresses)
        node_port_clashes = self._chain(NODE_PORTS, ports)
        node_ports = {(protocol, port): rule for (_, protocol, port), rule in ports.items()}
        return FrontRules(
            tuple(clashes),
            tuple(node_port_clashes),
            tuple(self._wide),
            tuple(self._ways),
            self._protocols,
            addresses,
            node_ports,
        )

    def _chain(self, name: str, taken: dict[tuple[str, str, str], Rule]) -> list[Clash]:
        clashes: list[Clash] = []
        chain = self._context.chain("nat", name)
        for rule in chain.rules if chain is not None else ():
            plan = self._plans[rule.shape]
            port, slot = plan.destination_port, plan.target_slot
            if port is None or slot is None or port.negated:
                continue
            target = rule.word(slot)
            if target in (MARK_MASQ, NODE_PORTS):
                continue
            key = hash_of(target)
            protocol = "" if plan.protocol is None else usual_name(rule.word(plan.protocol.slot))
            host = self._host(plan, rule) if name == SERVICES else ""
            address = (host, protocol, rule.word(port.slot))
            first = taken.setdefault(address, rule)
            if first is not rule and hash_of(first.target or "") != key and not plan.other:
                clashes.append(Clash(first, rule))
            if key is not None:
                self._protocols.setdefault(key, protocol)
                if plan.comment_slot is not None:
                    spelled = rule.word(plan.comment_slot).partition(" ")[0].strip('"')
                    if "/" in spelled:
                        self._ways.append(NamedWay(rule, spelled, protocol, key))
        return clashes

    def _host(self, plan: RulePlan, rule: Rule) -> str:
        """The one host that a rule matches; rules that match more are noted."""
        if plan.destination is None:
            self._wide.append(rule)
            return ""
        text = rule.word(plan.destination.slot)
        host, slash, length = text.partition("/")
        if plan.destination.negated or (slash and length not in _HOST_MASKS[":" in host]):
            self._wide.append(rule)
        return host


# Of an IPv4 and an IPv6 address.
_HOST_MASKS = (("32", "255.255.255.255"), ("128", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"))
