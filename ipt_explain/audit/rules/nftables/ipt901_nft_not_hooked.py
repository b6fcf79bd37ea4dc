"""A hook does not lead to kube-proxy's nftables chain.

What it checks:
    In kube-proxy's tables (`ip kube-proxy`, `ip6 kube-proxy`), each hook leads to the chains that all releases since
    1.30 have there: prerouting and output to `services`, postrouting to `masquerading`, and the filter hooks to the
    checks of endpoints, source ranges and ClusterIPs. `services` and these checks look up the maps that hold the
    Services, `reject-chain` rejects, and a Service's `firewall-…` drops what is outside its source ranges. The hooks'
    policy is to accept, and the table is not dormant.

Why it matters:
    Without the NAT hooks no Service works through this node, or its replies are lost. Without the checks, connections
    to Services without endpoints hang instead of being refused, and source ranges let everybody in.

Example:
    table ip kube-proxy {
    map service-ips {
    type ipv4_addr . inet_proto . inet_service : verdict
    elements = { 10.96.0.1 . tcp . 443 : goto service-2QRHZV4L-default/kubernetes/tcp/https }
    }
    chain nat-prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    }
    chain services {
    ip daddr . meta l4proto . th dport vmap @service-ips
    }
    chain service-2QRHZV4L-default/kubernetes/tcp/https {
    meta l4proto tcp dnat to 192.168.50.10:6443
    }
    }

How to fix:
    Restart kube-proxy on the node: it rewrites its tables. Then find what changed them.
"""

from __future__ import annotations

from ipt_explain.analyzers.nftables.tables import REJECT_CHAIN
from ipt_explain.audit.authoring import RESTART_TABLES, Fault, Faults, NftContext, Severity, nft_rule
from ipt_explain.audit.evidence.nftables.hooks import open_firewalls, rejects, unasked, unhooked
from ipt_explain.model import nft

_LOST = {
    "services": "no Service works for packets that pass here",
    "masquerading": "connections that need masquerading keep their source and lose replies",
    "firewall-check": "source ranges are not enforced",
    "cluster-ips-check": "connections to unused ports of ClusterIPs hang instead of being refused",
}
_WHEN = {"firewall-check": " before NAT"}
_HANG = "connections to Services without endpoints hang instead of being refused"


@nft_rule("IPT901", "nft-not-hooked", Severity.ERROR, reads_absence=True)
def nft_not_hooked(context: NftContext, table: nft.Table) -> Faults:
    """One fault for each hook and chain, and for each map that is not looked up; one for a table that never runs."""
    if table.dormant:
        yield Fault(
            f"table {table.family.value} {table.name} is dormant: no packet passes its chains, and no Service works",
            RESTART_TABLES,
            context.at_chain(table, None),
            key="dormant",
        )
        return
    for each in unhooked(table):
        how = "leads only conditionally" if each.rule is not None else "does not lead"
        yield Fault(
            f"the {each.type} hook {each.hook} {how} to chain {each.target}{_WHEN.get(each.target, '')}: "
            f"{_LOST.get(each.target, _HANG)}",
            RESTART_TABLES,
            context.at_chain(table, each.chain)
            if each.rule is None or each.chain is None
            else context.at_rule(table, each.chain, each.rule),
            severity=None if each.loses_connections else Severity.WARNING,
            key=f"{each.type} {each.hook} {each.target}",
        )
    for name, held in unasked(table):
        yield Fault(
            f"chain {name} does not look up {held}: {_LOST.get(name, _HANG)}",
            RESTART_TABLES,
            context.at_chain(table, table.chains[name]),
            severity=None if name in ("services", "firewall-check") else Severity.WARNING,
            key=held,
        )
    for chain, known in open_firewalls(table):
        yield Fault(
            f"chain {chain.name} does not drop clients outside its source ranges",
            RESTART_TABLES,
            context.at_chain(table, chain),
            service=known.port.spelled,
        )
    if not rejects(table):
        place = context.at_chain(table, table.chains[REJECT_CHAIN])
        yield Fault(f"chain {REJECT_CHAIN} does not reject: {_HANG}", RESTART_TABLES, place, severity=Severity.WARNING)
    for chain in table.chains.values():
        if chain.base is not None and chain.base.policy == "drop":
            yield Fault(
                f"the policy of {chain.name} is drop: packets that match no rule of kube-proxy are lost",
                RESTART_TABLES,
                context.at_chain(table, chain),
                key=chain.name,
            )
