"""A rule of kube-proxy or kubelet has lost its conditions and drops everything.

What it checks:
    In filter's KUBE-FIREWALL, KUBE-PROXY-FIREWALL, KUBE-FORWARD, KUBE-SERVICES, KUBE-EXTERNAL-SERVICES and
    KUBE-NODEPORTS, every DROP and REJECT has a condition: a mark, a connection state, or an address and port.

Why it matters:
    All of these chains come first in INPUT, FORWARD or OUTPUT, so the node loses its network as soon as such a rule is
    loaded. This is known to happen when two iptables versions share one node. Rules written by 1.8.8 lose their mark
    match when an older version saves and restores them, and "drop what is marked" becomes "drop" (IPT707 reports that
    case).

Example:
    -A KUBE-FORWARD -j DROP
    -A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT

How to fix:
    Delete the rule (`iptables -D …`) to get the node back. Then make host and containers use iptables versions that
    agree.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import EXTERNAL_SERVICES, FIREWALL, FORWARD, NODE_PORTS, PROXY_FIREWALL, SERVICES
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.filter.kube_firewall import unconditional_drops
from ipt_explain.model import Rule

_CHAINS = (FIREWALL, PROXY_FIREWALL, FORWARD, SERVICES, EXTERNAL_SERVICES, NODE_PORTS)
_LOST = {
    FIREWALL: "all packets to and from this node",
    PROXY_FIREWALL: "all new connections that reach the chain",
    FORWARD: "all forwarded packets, including pods'",
}


@rule("IPT602", "firewall-drops-everything", Severity.ERROR, about=("-j DROP", "-j REJECT"), yields_to=("IPT707",))
def firewall_drops_everything(context: RulesetContext) -> Faults:
    """One fault a chain, at the first such rule."""
    for name in _CHAINS:
        dropping = unconditional_drops(context.ruleset.rules("filter", name))
        if dropping:
            first = dropping[0]
            does = "drops" if first.target == "DROP" else "refuses"
            yield Fault(
                f"{name} {does} {_whose(first, name)}: the rule has no {'other ' if first.core('-p') else ''}condition",
                f"Delete it now (iptables -D {name} …), then make host and containers use iptables versions that "
                "agree.",
                at_rule(first, focus=f"-j {first.target}"),
                related=tuple(other.line for other in dropping[1:]),
            )


def _whose(dropping: Rule, chain: str) -> str:
    protocol = dropping.core("-p")
    packets = _LOST.get(chain, "all new connections that reach the chain")
    return packets if protocol is None else f"{packets}, if they are {protocol}"
