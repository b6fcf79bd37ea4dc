"""kube-proxy's rules are gone from nat but not from filter: something flushed nat.

What it checks:
    nat has kube-proxy's rules if filter has its chains and hooks. A complete dump of both tables is reported if nat has
    no KUBE-SERVICES, or an empty one although kube-proxy had written Services.

Why it matters:
    No Service works through this node: ClusterIPs and node ports are not translated. kube-proxy 1.27 and later notices
    at once only if its canary chain is gone too; otherwise at its next full sync, up to an hour later.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    :KUBE-FORWARD - [0:0]
    :KUBE-SERVICES - [0:0]
    -A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
    -A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    :POSTROUTING ACCEPT [0:0]
    COMMIT

How to fix:
    Restart kube-proxy on the node (delete its pod): at start it writes all of its rules. Then find what flushed nat:
    `iptables -t nat -F` in a boot script, a firewall's restart, another program's restore.

When to ignore:
    When kube-proxy was removed from this node on purpose; then clean up with `kube-proxy --cleanup`.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import EXTERNAL_SERVICES, FORWARD, NODE_PORTS, PROXY_FIREWALL, SERVICES
from ipt_explain.audit.authoring import RESTART_RULES, Fault, Faults, RulesetContext, Severity, at_chain, at_table, rule
from ipt_explain.audit.evidence.hooks.hook_states import service_chains
from ipt_explain.model import Chain, Table

# Chains that kube-proxy's iptables mode alone has in filter, each with a hook.
_PROXY = frozenset({SERVICES, EXTERNAL_SERVICES, NODE_PORTS, FORWARD, PROXY_FIREWALL})


@rule("IPT116", "nat-emptied", Severity.ERROR, reads_absence=True)
def nat_emptied(context: RulesetContext) -> Faults:
    """At most one fault a ruleset."""
    nat, filtering = context.table("nat"), context.table("filter")
    if nat is None or filtering is None:
        return
    hooked = [name for name in _PROXY & filtering.chains.keys() if context.is_called("filter", name)]
    services = nat.chains.get(SERVICES)
    if len(hooked) < 2 or not _is_bare(context, services, filtering):
        return
    gone = "has no KUBE-SERVICES chain" if services is None else "KUBE-SERVICES is empty"
    yield Fault(
        f"filter still has kube-proxy's chains, but nat {gone}: something flushed nat, and no Service works through "
        "this node",
        f"{RESTART_RULES} Then find what flushed nat.",
        at_table("nat", nat.line) if services is None else at_chain(services),
    )


def _is_bare(context: RulesetContext, services: Chain | None, filtering: Table) -> bool:
    """Whether nat lacks the rules for Services that were there. kube-proxy up to 1.17 leaves KUBE-SERVICES empty where
    the family has none."""
    if services is None:
        return not service_chains(context)
    if len(services.layout):
        return False
    refusals = filtering.chains.get(SERVICES)
    return service_chains(context) > 0 or (refusals is not None and bool(refusals.rules))
