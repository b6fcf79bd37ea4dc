"""A kube-proxy rule or map leads to a chain that is missing or empty.

What it checks:
    In kube-proxy's nftables tables, every chain that a rule or map element leads to exists, and chains of Services and
    endpoints have rules. Empty chains that nothing leads to are fine: kube-proxy first empties the chains of deleted
    Services and deletes them at a later sync.

Why it matters:
    Connections that reach an empty chain leave untranslated, and nothing answers them. The kernel would not load a jump
    to a missing chain, so the listing is incomplete or was edited.

Example:
    table ip kube-proxy {
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
    }
    }

How to fix:
    Restart kube-proxy on the node. Take the listing again if it may be cut off.
"""

from __future__ import annotations

from ipt_explain.analyzers.nftables.names import proxy_chain
from ipt_explain.audit.authoring import Fault, Faults, NftContext, Severity, nft_rule
from ipt_explain.audit.evidence.nftables.references import place_of, references, whose
from ipt_explain.model import nft

_FIX = "Restart kube-proxy on this node. Take the listing again if it may be cut off."


@nft_rule("IPT902", "nft-leads-nowhere", Severity.ERROR, reads_absence=True, gathers=True)
def nft_leads_nowhere(context: NftContext, table: nft.Table) -> Faults:
    """One fault for each chain."""
    for name, leading in references(context).items():
        chain = table.chains.get(name)
        if chain is not None and (chain.rules or proxy_chain(name) is None):
            continue
        gone = "does not exist" if chain is None else "has no rules"
        first = leading[0]
        yield Fault(
            f"{whose(first)} leads to chain {name}, which {gone}: connections sent there reach no endpoint",
            _FIX,
            place_of(context, table, first),
            service=context.service_of(name) or _service(name),
            related=tuple(line for each in leading[1:] if (line := place_of(context, table, each).line) is not None),
            key=name,
        )


def _service(name: str) -> str | None:
    found = proxy_chain(name)
    return None if found is None else found.port.spelled
