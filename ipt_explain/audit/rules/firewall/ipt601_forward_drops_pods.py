"""The filter table stops new connections between pods, or to the API server.

What it checks:
    Packets are traced: from one of the dump's endpoints to another, from the node to an endpoint, and to the API
    server as if it ran on this node. Where a rule or a policy outside kube-proxy's chains drops or refuses all of
    them, whatever the dump leaves open (interfaces, sets), it is reported. For INPUT only an explicit rule is a
    warning, a policy is a note, as most nodes run no API server. A DROP policy in INPUT without any rule that accepts
    replies is a warning.

Why it matters:
    KUBE-FORWARD accepts marked packets and known connections, not the first packet of a connection between pods: that
    is left to the network plugin's rules or the policy. Docker sets FORWARD's policy to DROP; firewalld and stock
    `iptables.service` files end INPUT and FORWARD with a REJECT that stands ahead of what plugins append. Pods then
    cannot reach each other, DNS or the API.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    -A FORWARD -j REJECT --reject-with icmp-host-prohibited
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-SEP-H7FN6LU3RSH6CC2T - [0:0]
    :KUBE-SEP-4Q54R6TA6JE3WQSH - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-ERIFXISQEP7F7OF4 - [0:0]
    -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A KUBE-SEP-4Q54R6TA6JE3WQSH -p tcp -m tcp -j DNAT --to-destination 10.244.3.2:53
    -A KUBE-SEP-H7FN6LU3RSH6CC2T -p tcp -m tcp -j DNAT --to-destination 10.244.2.2:53
    -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "kube-system/kube-dns:dns-tcp cluster IP" -m tcp
      --dport 53 -j KUBE-SVC-ERIFXISQEP7F7OF4
    -A KUBE-SVC-ERIFXISQEP7F7OF4 -m statistic --mode random --probability 0.5 -j KUBE-SEP-H7FN6LU3RSH6CC2T
    -A KUBE-SVC-ERIFXISQEP7F7OF4 -j KUBE-SEP-4Q54R6TA6JE3WQSH
    COMMIT

How to fix:
    Accept pod traffic ahead of the rule (`iptables -I FORWARD -s POD_CIDR -j ACCEPT`, and -d), or switch the other
    firewall off; restart the network plugin where its rules stand behind the REJECT.

When to ignore:
    When a rule set that is not in this dump (nftables of firewalld, the other iptables backend) or the network
    plugin's data plane (eBPF) forwards pods.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Faults, RulesetContext, Severity, rule
from ipt_explain.audit.fault import Fault, Place, at_chain, at_rule
from ipt_explain.audit.probes import Stop, api_server_stop, drops_replies, forward_stop, has_barriers, output_stop
from ipt_explain.model import Rule

_FIX = "Accept pod traffic ahead of it, or switch the other firewall off and restart the network plugin."


@rule("IPT601", "forward-drops-pods", Severity.WARNING, reads_absence=True, yields_to=("IPT602", "IPT115"))
def forward_drops_pods(context: RulesetContext) -> Faults:
    """At most one fault for each of FORWARD, OUTPUT and INPUT."""
    if not has_barriers(context):
        return
    forward, output, server = forward_stop(context), output_stop(context), api_server_stop(context)
    if forward is not None:
        yield _fault(forward, f"new connections between pods ({forward.source} to {forward.destination}, say)")
    if output is not None:
        yield _fault(output, f"the node's own new connections to pods ({output.destination}, say)")
    replies = drops_replies(context)
    if replies is not None:
        yield Fault(
            "INPUT's policy is DROP and no rule accepts known connections: replies to the node's own connections, "
            "kubelet's to the API server among them, are dropped",
            "Accept RELATED,ESTABLISHED in INPUT, or set its policy to ACCEPT.",
            at_chain(replies),
            key="replies",
        )
    elif server is not None:
        severity = Severity.INFO if server.rule is None else None
        yield _fault(
            server, f"connections to the API server {server.destination} (should it run on this node)", severity
        )


def _fault(stop: Stop, whose: str, severity: Severity | None = None) -> Fault:
    by = f"{stop.chain.name}'s policy {stop.chain.policy}" if stop.rule is None else "this rule"
    does = "drops" if stop.dropped else "refuses"
    late = _behind(stop)
    ahead = "nothing ahead of it accepts them"
    if late:
        ahead += f", and the jump to {late[0].target} behind it is never reached by them"
    return Fault(
        f"{by} {does} {whose}: {ahead}",
        _FIX,
        _place(stop),
        related=tuple(jump.line for jump in late),
        severity=severity,
    )


def _behind(stop: Stop) -> list[Rule]:
    """Jumps behind the rule, which may be meant to accept what it stops."""
    rules = stop.chain.rules
    place = len(rules) if stop.rule is None else rules.index(stop.rule) + 1
    return [
        judged for judged in rules[place:] if judged.shape.target is not None and judged.shape.target.slot is not None
    ]


def _place(stop: Stop) -> Place:
    return at_chain(stop.chain) if stop.rule is None else at_rule(stop.rule)
