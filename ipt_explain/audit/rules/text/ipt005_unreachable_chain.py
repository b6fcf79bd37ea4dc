"""No packet can reach a chain that has rules.

What it checks:
    Every chain with rules can be reached from a built-in chain of its table, directly or through other chains.
    References do not count: two chains that only call each other are both unreachable. Some chains are unreachable by
    design and not reported: kube-proxy's and kubelet's canaries and hints, marking chains that nothing uses right now,
    and chains of single Services (IPT511 counts those).

Why it matters:
    The rules in it do nothing. A firewall chain that lost its jump protects nothing, but the dump looks as if it did.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    :NODE-GUARD - [0:0]
    -A NODE-GUARD -p tcp -m tcp --dport 10255 -j DROP
    COMMIT

How to fix:
    Add the missing jump, or delete the chain (`iptables -F NAME`, then `iptables -X NAME`).

When to ignore:
    When the chain was added before it is needed, or its program hooks it only when needed.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import is_kube_chain
from ipt_explain.analyzers.owners.kube import role_of_kube_chain
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_chain, chain_lines, rule
from ipt_explain.model import Chain
from ipt_explain.model.kernel import BUILT_IN_CHAINS
from ipt_explain.words import listed

NAMED = 5
"""How many chains the message names; it counts the rest."""


@rule("IPT005", "unreachable-chain", Severity.INFO, reads_absence=True)
def unreachable_chain(context: RulesetContext) -> Faults:
    """One fault for each table, at the first unreachable chain; chains that only unreachable ones lead to are left
    out."""
    for name, table in context.ruleset.tables.items():
        jumps = context.jumps(name)
        if jumps is None or table.chains.keys().isdisjoint(BUILT_IN_CHAINS.get(name, ())):
            continue
        # Every unreachable chain is called from one that nothing calls, or from a loop that nothing else calls.
        roots = {*jumps.uncalled} | {cycle.path[0] for cycle in context.cycles(name) if not cycle.reachable}
        suspects = [
            table.chains[root] for root in roots if not is_kube_chain(root) and role_of_kube_chain(root, name) is None
        ]
        lost = [chain for chain in suspects if chain.layout.shapes and chain.policy is None]
        lost.sort(key=lambda chain: chain.line_of(0))
        if lost:
            first = lost[0]
            yield Fault(
                f"no packet reaches {_named(lost)} of table {name}: no built-in chain leads there",
                "Add the missing jump, or flush and delete the chain.",
                at_chain(first),
                related=chain_lines(lost[1:]),
            )


def _named(chains: list[Chain]) -> str:
    names = listed([chain.name for chain in chains], NAMED)
    return f"chain {names}" if len(chains) == 1 else f"chains {names}"
