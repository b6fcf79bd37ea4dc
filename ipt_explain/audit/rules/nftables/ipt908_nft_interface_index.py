"""nftables: kube-proxy's rules match an interface by number.

What it checks:
    No rule of kube-proxy's tables compares the incoming interface with a number. kube-proxy 1.30 to 1.32 writes `iif`
    for --detect-local-mode BridgeInterface and InterfaceNamePrefix. The kernel keeps this as the interface's index, and
    nft prints the number if no interface has it any more. 1.33 and later write `iifname`.

Why it matters:
    The bridge was recreated, so the rule never matches. Pod traffic counts as traffic from outside the cluster: it is
    masqueraded, so pods see the node's address, and policy Local drops what it should serve.

Example:
    table ip kube-proxy {
    chain services {
    ip daddr . meta l4proto . th dport vmap @service-ips
    }
    chain service-2QRHZV4L-default/kubernetes/tcp/https {
    ip daddr 10.96.0.1 tcp dport 443 iif != 7 jump mark-for-masquerade
    meta l4proto tcp dnat to 192.168.50.10:6443
    }
    }

How to fix:
    Restart kube-proxy on the node: it reads the interface's index again. Upgrade to 1.33 or later.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, NftContext, Severity, nft_rule
from ipt_explain.model import nft

_FIX = "Restart kube-proxy on this node; 1.33 and later match interfaces by name."


@nft_rule("IPT908", "nft-interface-index", Severity.WARNING)
def nft_interface_index(context: NftContext, table: nft.Table) -> Faults:
    """At most one fault a table, with all other lines."""
    places = [
        context.at_rule(table, chain, rule)
        for chain, rule in table.each_rule()
        if any(map(_asks_by_number, rule.of(nft.Match)))
    ]
    if places:
        first, *others = places
        yield Fault(
            "this rule never matches, as no interface has this number any more: pod traffic counts as traffic from "
            "outside the cluster",
            _FIX,
            first,
            related=tuple(place.line for place in others if place.line is not None),
        )


def _asks_by_number(match: nft.Match) -> bool:
    by_number = isinstance(match.right, int) or (isinstance(match.right, str) and match.right.isdecimal())
    return match.left == nft.Meta("iif") and by_number
