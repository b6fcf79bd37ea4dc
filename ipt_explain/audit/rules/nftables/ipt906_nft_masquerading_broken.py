"""nftables: the masquerading chain masquerades nothing, or everything.

What it checks:
    kube-proxy's chain `masquerading` masquerades only packets with its mark; from 1.36 on also endpoints' connections
    to themselves, using the set `hairpin-connections`. Up to 1.35, `mark-for-masquerade` sets the mark. Connections
    to ClusterIPs are marked if they come from outside the pod network, and only then.

Why it matters:
    If nothing is masqueraded, replies to connections from outside are lost. If everything is masqueraded, pods see the
    node's address instead of the clients'.

Example:
    table ip kube-proxy {
    chain nat-postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    jump masquerading
    }
    chain masquerading {
    meta mark set meta mark ^ 0x00004000
    masquerade fully-random
    }
    }

How to fix:
    Restart kube-proxy on the node: it rewrites its tables. Then find what changed them.
"""

from __future__ import annotations

from ipt_explain.analyzers.nftables.tables import HAIRPIN_CONNECTIONS, MARK_FOR_MASQUERADE, MASQUERADING
from ipt_explain.audit.authoring import RESTART_TABLES, Fault, Faults, NftContext, Severity, nft_rule
from ipt_explain.audit.evidence.nftables.marks import masquerading, mismarked, sets_mark
from ipt_explain.model import nft


@nft_rule("IPT906", "nft-masquerading-broken", Severity.ERROR, reads_absence=True)
def nft_masquerading_broken(context: NftContext, table: nft.Table) -> Faults:
    """One fault for each part that is missing."""
    chain = table.chains.get(MASQUERADING)
    if chain is None:
        return
    done = masquerading(chain)
    place = context.at_chain(table, chain)
    if not done.masquerades:
        yield Fault("packets with kube-proxy's mark are not masqueraded: their replies are lost", RESTART_TABLES, place)
    elif done.tested is None:
        yield Fault(
            "everything is masqueraded, with or without kube-proxy's mark: pods see the node's address",
            RESTART_TABLES,
            place,
        )
    marker = table.chains.get(MARK_FOR_MASQUERADE)
    if marker is not None and not sets_mark(marker):
        yield Fault(
            "chain mark-for-masquerade sets no mark, so nothing is masqueraded: replies are lost",
            RESTART_TABLES,
            context.at_chain(table, marker),
            key="mark",
        )
    for chain, rule, said in mismarked(table):
        yield Fault(said, RESTART_TABLES, context.at_rule(table, chain, rule), key=chain.name)
    held = table.sets.get(HAIRPIN_CONNECTIONS)
    if held is not None and held.elements and not done.hairpins:
        yield Fault(
            "no rule looks up hairpin-connections: pods that connect to themselves through a Service hang",
            RESTART_TABLES,
            place,
            key="hairpin",
        )
