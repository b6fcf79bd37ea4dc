"""Other hosts may reach 127.0.0.1 of this node: the guard in KUBE-FIREWALL is missing or weak.

What it checks:
    KUBE-FIREWALL in IPv4 drops packets for 127.0.0.0/8 that come from other hosts and belong to no known connection. It
    must do so if its writer adds this guard: kubelet 1.19 and later, or kube-proxy 1.27 and later if node ports answer
    on 127.0.0.1. A guard that is there but wrong is reported in any dump or fragment.

Why it matters:
    kube-proxy sets route_localnet so that node ports answer on 127.0.0.1. That lets hosts of the same network send
    packets to the node's loopback addresses, where kubelet, etcd or debug ports may listen without protection
    (CVE-2020-8558).

Example:
    -A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections"
      -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j DROP

How to fix:
    Restart kubelet, and kube-proxy from 1.27 on. Or switch off node ports on 127.0.0.1
    (--iptables-localhost-nodeports=false).

When to ignore:
    When route_localnet is 0 on all interfaces.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import FIREWALL
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_chain, at_rule, rule
from ipt_explain.audit.evidence.filter.kube_firewall import guards_loopback, is_martian_guard
from ipt_explain.audit.evidence.hooks.services_chain import services_chain
from ipt_explain.audit.evidence.node.writer import writer
from ipt_explain.model import Chain, Family

_FIX = "Restart kubelet, and kube-proxy from 1.27 on: they write the guard at start."
_OPEN = "hosts of the same network can reach what listens on 127.0.0.1 here (CVE-2020-8558)"


@rule("IPT605", "martian-guard-missing", Severity.WARNING, about=("KUBE-FIREWALL",), since=19)
def martian_guard_missing(context: RulesetContext) -> Faults:
    """At most one fault."""
    chain = context.chain("filter", FIREWALL)
    if chain is None or context.ruleset.family is not Family.IPV4 or any(map(is_martian_guard, chain.rules)):
        return
    near = next(filter(guards_loopback, chain.rules), None)
    if near is not None:
        yield Fault(
            f"the guard for loopback addresses is wrong: {_OPEN}, or other packets are dropped",
            _FIX,
            at_rule(near),
        )
    elif context.complete and _expected(context, chain):
        yield Fault(f"KUBE-FIREWALL does not guard loopback addresses: {_OPEN}", _FIX, at_chain(chain))


def _expected(context: RulesetContext, chain: Chain) -> bool:
    by = writer(context)
    if by.kubelet_canary and chain.rules:
        return by.since(19)
    # Without kubelet's chains, KUBE-FIREWALL is kube-proxy's own, which guards where node ports answer on 127.0.0.1.
    jumps = services_chain(context).node_ports
    open_to_loopback = any(jump.shape.core_option("-d") is None for jump in jumps)
    return by.since(25) and not by.kubelet_canary and open_to_loopback
