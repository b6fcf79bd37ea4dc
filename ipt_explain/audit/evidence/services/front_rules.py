"""The rules of nat KUBE-SERVICES and KUBE-NODEPORTS that lead to Services, seen together: which take the same address,
which take more than one, and which Service their comments name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ipt_explain.analyzers.iptables.plans import RulePlan
from ipt_explain.analyzers.names import MARK_MASQ, NODE_PORTS, SERVICES, CommentKind, hash_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.columns import Columns
from ipt_explain.model import Rule
from ipt_explain.model.rule import unquote
from ipt_explain.netfilter.header import usual_name
from ipt_explain.records import Record
from ipt_explain.services.evidence import Evidence


class Clash(Record):
    """Two rules for one address that lead to different services; the later one gets nothing."""

    first: Rule
    second: Rule


class NamedRule(Record):
    """A rule whose comment names its service port, as spelled there. `key` is the hash of the chain that it leads
    to."""

    evidence: Evidence
    target: str
    key: str
    name: str
    protocol: str


Address: TypeAlias = tuple[str, str, str]  # host, protocol, port


class FrontRules(Record):
    """`clashes` are of addresses, `node_port_clashes` of node ports; `wide` rules take more than one host. `protocols`
    has the protocol of each service port by the hash of its chains, `addresses` the first rule for each; those that
    its comment does not call a ClusterIP are `external`."""

    clashes: tuple[Clash, ...]
    node_port_clashes: tuple[Clash, ...]
    wide: tuple[Rule, ...]
    named: Columns[NamedRule]
    protocols: Mapping[str, str]
    addresses: Mapping[Address, Evidence]
    external: Mapping[Address, None]
    node_ports: Mapping[tuple[str, str], Rule]


@fact
def front_rules(context: RulesetContext) -> FrontRules:
    """The rules that lead to Services."""
    return _Reader(context).read()


class _Reader:
    def __init__(self, context: RulesetContext) -> None:
        self._context = context
        self._plans = context.plans
        self._ways: list[tuple[Evidence, str, str, str, str]] = []
        self._wide: list[Rule] = []
        self._external: dict[Address, None] = {}
        self._protocols: dict[str, str] = {}

    def read(self) -> FrontRules:
        addresses: dict[Address, Evidence] = {}
        ports: dict[Address, Evidence] = {}
        clashes = self._chain(SERVICES, addresses)
        node_port_clashes = self._chain(NODE_PORTS, ports)
        node_ports = {(protocol, port): evidence.rule for (_, protocol, port), evidence in ports.items()}
        rules, targets, keys, names, protocols = zip(*self._ways) if self._ways else ((),) * 5
        return FrontRules(
            tuple(clashes),
            tuple(node_port_clashes),
            tuple(self._wide),
            Columns(
                NamedRule,
                {"evidence": rules, "target": targets, "key": keys, "name": names, "protocol": protocols},
            ),
            self._protocols,
            addresses,
            self._external,
            node_ports,
        )

    def _chain(self, name: str, taken: dict[Address, Evidence]) -> list[Clash]:
        clashes: list[Clash] = []
        chain = self._context.chain("nat", name)
        for number, shape in enumerate(chain.layout.shapes if chain is not None else ()):
            plan = self._plans[shape]
            port, slot = plan.destination_port, plan.target_slot
            if chain is None or port is None or slot is None or port.negated:
                continue
            values, start = chain.values, chain.layout.offsets[number]
            target = values[start + slot]
            if target in (MARK_MASQ, NODE_PORTS):
                continue
            evidence, key = Evidence(chain, number), hash_of(target)
            protocol = "" if plan.protocol is None else usual_name(values[start + plan.protocol.slot])
            host = self._host(plan, evidence) if name == SERVICES else ""
            address = (host, protocol, values[start + port.slot])
            first = taken.setdefault(address, evidence)
            if first is not evidence and hash_of(first.target or "") != key and not plan.other:
                clashes.append(Clash(first.rule, evidence.rule))
            comment = "" if plan.comment_slot is None else values[start + plan.comment_slot]
            if first is evidence and name == SERVICES and not unquote(comment).endswith(CommentKind.CLUSTER_IP.value):
                self._external[address] = None
            if key is not None:
                self._protocols.setdefault(key, protocol)
                spelled = comment.partition(" ")[0].strip('"')
                if "/" in spelled:
                    self._ways.append((evidence, target, key, spelled, protocol))
        return clashes

    def _host(self, plan: RulePlan, evidence: Evidence) -> str:
        """The one host that a rule matches; rules that match more are noted."""
        if plan.destination is None:
            self._wide.append(evidence.rule)
            return ""
        host, slash, length = evidence.word(plan.destination.slot).partition("/")
        if plan.destination.negated or (slash and length not in _HOST_MASKS[":" in host]):
            self._wide.append(evidence.rule)
        return host


# Of an IPv4 and an IPv6 address.
_HOST_MASKS = (("32", "255.255.255.255"), ("128", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"))
