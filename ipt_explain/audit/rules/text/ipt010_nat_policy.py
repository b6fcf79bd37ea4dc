"""A built-in chain of table nat has the policy DROP.

What it checks:
    The built-in chains of nat have the policy ACCEPT.

Why it matters:
    Only the first packet of a connection crosses nat. With policy DROP, every new connection that no rule rewrites is
    dropped there: all traffic that is neither for a Service nor masqueraded. Current iptables refuses to set this
    policy, so such rules also fail to restore.

Example:
    *nat
    :PREROUTING DROP [0:0]
    :POSTROUTING ACCEPT [0:0]
    COMMIT

How to fix:
    Set the policy to ACCEPT, and drop packets in table filter.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_chain, rule
from ipt_explain.audit.evidence.text import dropping


@rule("IPT010", "nat-policy", Severity.ERROR, evidence=dropping)
def nat_policy(context: RulesetContext) -> Faults:
    """One fault for each chain with the policy."""
    for chain in dropping(context):
        yield Fault(
            f"nat {chain.name} has policy DROP: new connections that no rule here rewrites are dropped",
            f"Set it to ACCEPT (`iptables -t nat -P {chain.name} ACCEPT`) and drop packets in table filter.",
            at_chain(chain),
        )
