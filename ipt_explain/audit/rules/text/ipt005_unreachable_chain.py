"""No packet can reach a chain that holds rules.

What it checks:
    Every chain with rules is reached from a built-in chain of its table, directly or through other chains. It is
    reachability that counts, not the number of references: two chains that only call each other are both unreachable.
    Chains that are normal so are left out: kube-proxy's and kubelet's canaries and hints, marking chains that nothing
    uses at the moment, and chains of single services (IPT511 counts those).

Why it matters:
    The rules in it do nothing. A firewall chain that lost its jump protects nothing, and looks in the dump as if it
    did.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    :NODE-GUARD - [0:0]
    -A NODE-GUARD -p tcp -m tcp --dport 10255 -j DROP
    COMMIT

How to fix:
    Add the jump that is missing, or delete the chain (`iptables -F NAME`, then `iptables -X NAME`).

When to ignore:
    Chains that are put in place ahead of their use, or that a program keeps at hand and hooks when it needs them.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import is_kube_chain
from ipt_explain.analyzers.owners.kube import role_of_kube_chain
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_chain, lines_of, rule
from ipt_explain.graph import BUILT_IN_CHAINS
from ipt_explain.model import Chain
from ipt_explain.words.lists import listed

NAMED = 5
"""So many chains are named in the message; the others are counted."""


@rule("IPT005", "unreachable-chain", Severity.INFO, reads_absence=True)
def unreachable_chain(context: RulesetContext) -> Faults:
    """One fault for each table, at the first unreachable chain; chains behind it are named by those that lead to
    them.
    """
    for name, table in context.ruleset.tables.items():
        jumps = context.jumps(name)
        if jumps is None or table.chains.keys().isdisjoint(BUILT_IN_CHAINS.get(name, ())):
            continue
        # Every unreachable chain hangs on one that nothing calls, or a circle that nothing else calls.
        roots = table.chains.keys() - jumps.called
        roots |= {cycle.path[0] for cycle in context.cycles(name) if not cycle.reachable}
        suspects = [
            table.chains[root]
            for root in roots
            if not is_kube_chain(root) and role_of_kube_chain(root, name) is None
        ]
        lost = [chain for chain in suspects if chain.rules and chain.policy is None]
        lost.sort(key=lambda chain: chain.rules[0].line)
        if lost:
            first = lost[0]
            yield Fault(
                f"no packet reaches {_named(lost)} of table {name}: no built-in chain leads there",
                "Add the missing jump, or flush and delete the chain.",
                at_chain(first),
                related=lines_of(lost[1:]),
            )


def _named(chains: list[Chain]) -> str:
    names = listed([chain.name for chain in chains], NAMED)
    return f"chain {names}" if len(chains) == 1 else f"chains {names}"
