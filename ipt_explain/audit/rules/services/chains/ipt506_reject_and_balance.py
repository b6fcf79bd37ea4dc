"""The filter table refuses an address of a Service that the nat table or IPVS sends to endpoints.

What it checks:
    No address, protocol and port has both a REJECT or DROP of kube-proxy in the filter table and a path to endpoints in
    the nat table, or a virtual server of IPVS with endpoints.

Why it matters:
    The nat table comes first and changes the destination, so the refusal never matches. Connections go to endpoints
    that may be gone: one of the two rules is out of date. IPVS takes some connections only after filter has seen them,
    so rules left over from iptables mode may refuse what it would serve.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    :KUBE-SERVICES - [0:0]
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https has no endpoints" -m tcp
      --dport 443 -j REJECT --reject-with icmp-port-unreachable
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-SEP-QAI6IJGEKZYOMWSX - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m tcp -j DNAT --to-destination 192.168.50.10:6443
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp
      --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-QAI6IJGEKZYOMWSX
    COMMIT

How to fix:
    Restart kube-proxy on the node: it rewrites both tables. In IPVS mode, run `kube-proxy --cleanup` of the version
    that ran in iptables mode, or reboot the node.

When to ignore:
    During a sync, which writes one table after the other.
"""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, restart, rule
from ipt_explain.audit.backends import IpvsContext
from ipt_explain.audit.evidence.filter.refusals import refusals
from ipt_explain.model.node.ipvs import VirtualServer
from ipt_explain.services.ports import FrontendKind, FrontendVerdict
from ipt_explain.words import counted, front

_CLEAN_UP = "Run kube-proxy --cleanup of the version that ran in iptables mode, or reboot the node."


@rule("IPT506", "reject-and-balance", Severity.WARNING, evidence=refusals)
def reject_and_balance(context: RulesetContext) -> Faults:
    """One fault for each such address."""
    found = refusals(context)
    for service, frontend in context.frontends:
        if frontend.verdict is not FrontendVerdict.BALANCE:
            continue
        host = None if frontend.kind is FrontendKind.NODE_PORT else frontend.address
        refusal = found.get((host, service.protocol, str(frontend.port)))
        if refusal is not None:
            yield Fault(
                f"{front(host, frontend.port)} is refused here ({refusal.target}), but the nat table sends it "
                "to endpoints first: the refusal never matches, and one of the two is out of date",
                restart("rewrites both tables"),
                at_rule(refusal),
                service=service.label,
                related=(frontend.rule.line,),
            )
    for server in _servers(context):
        left = found.get((server.address, server.protocol or "", str(server.port))) if server.real_servers else None
        if left is not None and server.port is not None:
            endpoints = counted(len(server.real_servers), "endpoint")
            yield Fault(
                f"{front(server.address, server.port)} is refused here ({left.target}), but IPVS has {endpoints} for "
                "it: this rule may be left over from kube-proxy's iptables mode",
                _CLEAN_UP,
                at_rule(left),
            )


def _servers(context: RulesetContext) -> Iterator[VirtualServer]:
    for each in context.node.contexts:
        if isinstance(each, IpvsContext) and each.family is context.ruleset.family:
            yield from () if each.known.virtual_servers is None else each.known.virtual_servers.servers
