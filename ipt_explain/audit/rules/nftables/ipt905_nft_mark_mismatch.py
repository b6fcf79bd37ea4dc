"""nftables: rules set a different mark from the one that the masquerading chain tests.

What it checks:
    In kube-proxy's tables, all rules that set a mark (in `mark-for-masquerade`, from 1.36 on in `services` and the
    `external-…` chains) set the bit that the chain `masquerading` tests, and that chain clears the same bit.

Why it matters:
    Connections that need another source address keep theirs: replies bypass this node, and clients hang.

Example:
    table ip kube-proxy {
    chain nat-postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    jump masquerading
    }
    chain masquerading {
    meta mark & 0x00004000 == 0x00000000 return
    meta mark set meta mark ^ 0x00004000
    masquerade fully-random
    }
    chain mark-for-masquerade {
    meta mark set meta mark | 0x00008000
    }
    }

How to fix:
    Restart kube-proxy on the node: it rewrites its tables. Then find what changed them.
"""

from __future__ import annotations

from ipt_explain.analyzers.nftables.tables import MASQUERADING
from ipt_explain.audit.authoring import RESTART_TABLES, Fault, Faults, NftContext, Severity, nft_rule
from ipt_explain.audit.evidence.nftables.marks import masquerading, settings
from ipt_explain.model import nft


@nft_rule("IPT905", "nft-mark-mismatch", Severity.ERROR)
def nft_mark_mismatch(context: NftContext, table: nft.Table) -> Faults:
    """One fault for each rule that sets another mark, and one if another is cleared."""
    chain = table.chains.get(MASQUERADING)
    if chain is None:
        return
    done = masquerading(chain)
    if done.tested is None:
        return
    for each in settings(table):
        if each.bits != done.tested:
            yield Fault(
                f"this rule sets mark {each.bits:#x}, but the masquerading chain tests {done.tested:#x}: these "
                "connections are not masqueraded",
                RESTART_TABLES,
                context.at_rule(table, each.chain, each.rule),
            )
    if done.cleared is not None and done.cleared != done.tested:
        yield Fault(
            f"the masquerading chain tests mark {done.tested:#x} but clears {done.cleared:#x}",
            RESTART_TABLES,
            context.at_chain(table, chain),
            severity=Severity.WARNING,
        )
