"""nftables: a chain's rules are not in kube-proxy's order.

What it checks:
    In nftables mode kube-proxy marks a connection before it balances it, looks up returning clients before it chooses
    an endpoint, records the client before it translates, and sends pods and the node itself to all endpoints before it
    sends others to this node's endpoints.

Why it matters:
    Packets that an earlier rule takes never reach the later one. Connections are not masqueraded, clients are not
    recorded, or connections reach the wrong endpoints.

Example:
    table ip kube-proxy {
    map service-ips {
    type ipv4_addr . inet_proto . inet_service : verdict
    elements = { 10.96.0.1 . tcp . 443 : goto service-2QRHZV4L-default/kubernetes/tcp/https }
    }
    chain services {
    ip daddr . meta l4proto . th dport vmap @service-ips
    }
    chain service-2QRHZV4L-default/kubernetes/tcp/https {
    goto endpoint-KSS6PERS-default/kubernetes/tcp/https__192.168.50.10/6443
    }
    chain endpoint-KSS6PERS-default/kubernetes/tcp/https__192.168.50.10/6443 {
    meta l4proto tcp dnat to 192.168.50.10:6443
    ip saddr 192.168.50.10 jump mark-for-masquerade
    }
    }

How to fix:
    Restart kube-proxy on the node: it rewrites its tables. Then find what changed them.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import RESTART_TABLES, Fault, Faults, NftContext, Severity, nft_rule
from ipt_explain.audit.evidence.nftables.order import disordered
from ipt_explain.model import nft
from ipt_explain.words.quotes import clipped

_LONGEST = 60


@nft_rule("IPT910", "nft-rules-disordered", Severity.ERROR, gathers=True)
def nft_rules_disordered(context: NftContext, table: nft.Table) -> Faults:
    """One fault for each rule that comes too late."""
    for chain in table.chains.values():
        for late, early in disordered(chain):
            yield Fault(
                f"`{clipped(late.text, _LONGEST)}` comes after `{clipped(early.text, _LONGEST)}`, which takes its "
                "packets; kube-proxy writes it first",
                RESTART_TABLES,
                context.at_rule(table, chain, late),
                service=context.service_of(chain.name),
            )
