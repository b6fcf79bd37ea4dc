"""nftables: a Service's connections are not spread evenly over its endpoints.

What it checks:
    In nftables mode kube-proxy draws a number below N (`numgen random mod N`) and has one endpoint for each number.

Why it matters:
    A number without an endpoint loses that share of connections. An endpoint with several numbers gets more than its
    share.

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
    meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 192.168.50.10 . 6443 }
    }
    }

How to fix:
    Restart kube-proxy on the node: it rewrites its tables. Then find what changed them.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import RESTART_TABLES, Fault, Faults, NftContext, Severity, nft_rule
from ipt_explain.model import nft
from ipt_explain.netfilter.nft.chances import draws
from ipt_explain.words import counted


@nft_rule("IPT917", "nft-shares-unequal", Severity.ERROR, gathers=True)
def nft_shares_unequal(context: NftContext, table: nft.Table) -> Faults:
    """One fault for each rule."""
    for chain, rule in table.each_rule():
        for numbers, elements in draws(rule):
            keys = [element.key for element in elements.elements]
            if any(isinstance(key, nft.Unread) for key in keys):
                continue
            drawn = range(numbers.offset, numbers.offset + numbers.modulus)
            told = None
            if len(keys) != numbers.modulus or not all(isinstance(key, int) and key in drawn for key in keys):
                told = f"{counted(len(keys), 'endpoint')} for numbers {drawn.start} to {drawn.stop - 1}"
            elif len({element.data for element in elements.elements}) < len(keys):
                told = "one endpoint several times"
            if told is not None:
                yield Fault(
                    f"connections are not spread evenly: a rule that chooses at random has {told}",
                    RESTART_TABLES,
                    context.at_rule(table, chain, rule),
                    service=context.service_of(chain.name),
                )
