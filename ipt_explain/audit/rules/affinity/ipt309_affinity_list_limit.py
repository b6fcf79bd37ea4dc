"""Session affinity covers only the last 100 clients of each endpoint.

What it checks:
    Any Service with session affinity is reported. The kernel module xt_recent keeps 100 clients in each endpoint's
    list, unless it was loaded with another ip_list_tot, which a dump does not show.

Why it matters:
    A new client evicts the client whose last new connection was longest ago. With two endpoints, 150 clients in turn
    all keep their endpoint; of 220, half do not. With many more, stickiness is no better than chance, and nothing shows
    it.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-AAAAAAAAAAAAAAAA
      --mask 255.255.255.255 --rsource -j KUBE-SEP-AAAAAAAAAAAAAAAA

How to fix:
    If a Service has more clients than that, load the module with a larger list on each node: `options xt_recent
    ip_list_tot=10000` in /etc/modprobe.d.

When to ignore:
    When fewer than 100 clients per endpoint come to each node, or the limit was raised.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.affinity import affinity

LIMIT = 100
"""Clients in a list of xt_recent, by default (ip_list_tot)."""


@rule("IPT309", "affinity-list-limit", Severity.INFO, about=("-m recent",))
def affinity_list_limit(context: RulesetContext) -> Faults:
    """One note for a ruleset, at the first rule with affinity."""
    timeouts = affinity(context).timeouts
    checks = [checks[0] for checks in timeouts.values() if checks]
    if checks:
        ports = "1 service port has" if len(checks) == 1 else f"{len(checks)} service ports have"
        yield Fault(
            f"{ports} session affinity, which remembers {LIMIT} clients per endpoint unless xt_recent was "
            "loaded with a larger ip_list_tot: with more clients on this node, stickiness silently fades",
            "Raise ip_list_tot of xt_recent on the nodes if a Service has more clients.",
            at_rule(checks[0].rule),
        )
