"""Rules of kube-proxy and kubelet that lack the match in their comment.

Facts: the comments of pkg/proxy/iptables/proxier.go and pkg/kubelet/kubelet_network_linux.go; kubernetes issue 112477
describes how rules of iptables 1.8.8 lose their marks when an older release saves and restores them.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import FIREWALL, FORWARD
from ipt_explain.model import Rule, Ruleset

# By chain of table filter and comment: the modules, one of which the rule must have, and what is lost without it.
_EXPECTED = {
    (FIREWALL, "kubernetes firewall for dropping marked packets"): (("mark",), "mark"),
    (FIREWALL, "block incoming localnet connections"): (("conntrack", "state"), "addresses and connection state"),
    (FORWARD, "kubernetes forwarding rules"): (("mark",), "mark"),
    (FORWARD, "kubernetes forwarding conntrack rule"): (("conntrack", "state"), "connection state"),
    (FORWARD, "kubernetes forwarding conntrack pod source rule"): (("conntrack", "state"), "connection state"),
    (FORWARD, "kubernetes forwarding conntrack pod destination rule"): (("conntrack", "state"), "connection state"),
}


def find_lost_matches(ruleset: Ruleset) -> tuple[tuple[Rule, str], ...]:
    """Rules and what they lost."""
    return tuple(
        (rule, expected[1])
        for name in (FIREWALL, FORWARD)
        if (chain := ruleset.chain("filter", name)) is not None
        for rule in chain.rules
        if (expected := _EXPECTED.get((name, rule.comment or ""))) is not None
        and not any(rule.shape.has_match(module) for module in expected[0])
    )
