"""Load balancer source ranges are not enforced: a hook to KUBE-PROXY-FIREWALL is missing.

What it checks:
    If filter has a KUBE-PROXY-FIREWALL chain, INPUT, FORWARD and (in iptables mode) OUTPUT jump to it. If the chain is
    empty this is a warning: no Service needs it yet.

Why it matters:
    From 1.25 on, kube-proxy enforces a Service's loadBalancerSourceRanges in this chain and nowhere else. Without the
    hook, clients outside the ranges get through on this node.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    :KUBE-PROXY-FIREWALL - [0:0]
    -A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall"
      -j KUBE-PROXY-FIREWALL
    -A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall"
      -j KUBE-PROXY-FIREWALL
    -A KUBE-PROXY-FIREWALL -d 203.0.113.10/32 -p tcp -m comment
      --comment "shop/cart:http traffic not accepted by KUBE-FW-XPGD46QRK7WJZT7O" -m tcp --dport 80 -j DROP
    COMMIT

How to fix:
    Restart kube-proxy on the node: at start it writes all of its hooks.

When to ignore:
    Never if you rely on source ranges.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import PROXY_FIREWALL
from ipt_explain.audit.authoring import RESTART_HOOKS, Fault, Faults, RulesetContext, Severity, rule
from ipt_explain.audit.evidence.hooks.hook_states import missing_hooks
from ipt_explain.words import counted

_WHOSE = {
    "INPUT": "connections to load balancer addresses that are the node's own",
    "FORWARD": "connections from outside and from pods",
    "OUTPUT": "connections from the node",
}


@rule("IPT108", "proxy-firewall-not-hooked", Severity.ERROR, since=25, evidence=missing_hooks, reads_absence=True)
def proxy_firewall_not_hooked(context: RulesetContext) -> Faults:
    """One fault for each built-in chain without the hook."""
    for state in missing_hooks(context):
        if state.hook.chain != PROXY_FIREWALL:
            continue
        name, dropped = state.hook.built_in, len(state.target.rules)
        effect = f"{_WHOSE[name]} skip its {counted(dropped, 'rule')}, so source ranges have no effect"
        if not dropped:
            effect = f"{_WHOSE[name]} would skip source ranges"
        yield Fault(
            f"filter {name} does not jump to KUBE-PROXY-FIREWALL: {effect}",
            RESTART_HOOKS,
            state.lacking,
            related=state.unreached,
            severity=None if dropped else Severity.WARNING,
        )
