"""nftables: a Service's clients do not return to their endpoint.

What it checks:
    In nftables mode a Service with session affinity has a set of clients for each endpoint. The endpoint's chain adds
    clients to the set, and the Service's chains look them up.

Why it matters:
    A client that is not added or not looked up may get another endpoint for its next connection.

Example:
    table ip kube-proxy {
    set affinity-KSS6PERS-default/kubernetes/tcp/https__192.168.50.10/6443 {
    type ipv4_addr
    size 65535
    flags dynamic,timeout
    timeout 3h
    }
    map service-ips {
    type ipv4_addr . inet_proto . inet_service : verdict
    elements = { 10.96.0.1 . tcp . 443 : goto service-2QRHZV4L-default/kubernetes/tcp/https }
    }
    chain nat-prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    jump services
    }
    chain services {
    ip daddr . meta l4proto . th dport vmap @service-ips
    }
    chain service-2QRHZV4L-default/kubernetes/tcp/https {
    ip saddr @affinity-KSS6PERS-default/kubernetes/tcp/https__192.168.50.10/6443 goto \
endpoint-KSS6PERS-default/kubernetes/tcp/https__192.168.50.10/6443
    goto endpoint-KSS6PERS-default/kubernetes/tcp/https__192.168.50.10/6443
    }
    chain endpoint-KSS6PERS-default/kubernetes/tcp/https__192.168.50.10/6443 {
    meta l4proto tcp dnat to 192.168.50.10:6443
    }
    }

How to fix:
    Restart kube-proxy on the node: it rewrites its tables. Then find what changed them.
"""

from __future__ import annotations

from ipt_explain.analyzers.nftables.names import target_of
from ipt_explain.audit.authoring import RESTART_TABLES, Fault, Faults, NftContext, Severity, nft_rule
from ipt_explain.model import nft
from ipt_explain.words import address_port


@nft_rule("IPT918", "nft-clients-not-kept", Severity.ERROR, reads_absence=True, gathers=True)
def nft_clients_not_kept(context: NftContext, table: nft.Table) -> Faults:
    """One fault for each endpoint."""
    asked: set[str] = set()
    filled: set[str] = set()
    for _, rule in table.each_rule():
        asked.update(each.right.name for each in rule.of(nft.Match) if isinstance(each.right, nft.SetReference))
        filled.update(each.target.name for each in rule.of(nft.SetUpdate))
    for name, chain in table.chains.items():
        own = name.replace("endpoint-", "affinity-", 1)
        endpoint = target_of(name)
        if endpoint is None or not chain.rules or (own in asked) is (own in filled):
            continue
        told = "looked up but never added" if own in asked else "added but never looked up"
        yield Fault(
            f"clients of endpoint {address_port(endpoint.address, endpoint.port)} are {told}: affinity does not work",
            RESTART_TABLES,
            context.at_rule(table, chain, chain.rules[-1]),
            service=endpoint.chain.port.spelled,
        )
