"""The endpoints of a Service are not in the order in which kube-proxy writes them.

What it checks:
    From 1.22 on kube-proxy takes endpoints from EndpointSlices and sorts them as text: 10.0.0.10:80 comes before
    10.0.0.9:80. Chains with another order are counted.

Why it matters:
    The order itself changes nothing. It shows that something other than kube-proxy wrote or changed the chain, so other
    changes are likely.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    :KUBE-PROXY-FIREWALL - [0:0]
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-SEP-AAAAAAAAAAAAAAAA - [0:0]
    :KUBE-SEP-BBBBBBBBBBBBBBBB - [0:0]
    :KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
    -A KUBE-SEP-AAAAAAAAAAAAAAAA -p tcp -m tcp -j DNAT --to-destination 10.0.0.9:80
    -A KUBE-SEP-BBBBBBBBBBBBBBBB -p tcp -m tcp -j DNAT --to-destination 10.0.0.10:80
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m statistic --mode random --probability 0.50000000000
      -j KUBE-SEP-AAAAAAAAAAAAAAAA
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-BBBBBBBBBBBBBBBB
    COMMIT

How to fix:
    No fix needed. Restart kube-proxy and it rewrites the chains.

When to ignore:
    When the Service has terminating endpoints, which some releases list after the others.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_chain, chain_lines, rule
from ipt_explain.audit.evidence.balancing.balancers import first_few
from ipt_explain.audit.evidence.balancing.balancing_chains import balancing_chains
from ipt_explain.audit.evidence.node.writer import writer

_SORTED_SINCE = 22


@rule("IPT207", "endpoint-order", Severity.INFO, since=22, evidence=(balancing_chains, "unordered"), reads_absence=True)
def endpoint_order(context: RulesetContext) -> Faults:
    """One note for a ruleset."""
    chains = balancing_chains(context).unordered
    if chains and writer(context).since(_SORTED_SINCE):
        count = "1 chain has" if len(chains) == 1 else f"{len(chains)} chains have"
        yield Fault(
            f"{count} endpoints in a different order than kube-proxy writes "
            f"({first_few(chain.name for chain in chains)}): shares are right, but something else wrote or changed the "
            "rules",
            "No fix needed, but find out what changes kube-proxy's rules.",
            at_chain(chains[0]),
            related=chain_lines(chains[1:]),
        )
