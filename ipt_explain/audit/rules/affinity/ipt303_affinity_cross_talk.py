"""Clients of one endpoint are looked up, or recorded, in another endpoint's list.

What it checks:
    The `recent` list that a rule checks is named after the endpoint chain that it leads to. The list in which an
    endpoint records its clients is named after its own chain.

Why it matters:
    This endpoint gets another's clients, or its own clients are not found: sessions break though affinity seems to be
    on.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-BBBBBBBBBBBBBBBB
      --mask 255.255.255.255 --rsource -j KUBE-SEP-AAAAAAAAAAAAAAAA

How to fix:
    Restart kube-proxy on the node: it rewrites the chains.
"""

from __future__ import annotations

from collections import Counter

from ipt_explain.analyzers.names import ChainRole, role_of
from ipt_explain.audit.authoring import RESTART, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.affinity import AffinityFault, broken_affinity
from ipt_explain.audit.evidence.balancing.balancers import destinations
from ipt_explain.audit.evidence.balancing.endpoint_chains import endpoint_chains


@rule("IPT303", "affinity-cross-talk", Severity.ERROR, about=("-m recent",))
def affinity_cross_talk(context: RulesetContext) -> Faults:
    """One fault for each such rule."""
    for broken in broken_affinity(context, AffinityFault.FOREIGN_LIST):
        asked = broken.rule.match("recent", "--name") or "the default list"
        other = endpoint_chains(context).destinations.get(asked)
        whose = f"the list of {other}" if other is not None else "which is not an endpoint's list"
        target = broken.rule.target or "no chain"
        if other is not None and role_of(target) is not ChainRole.ENDPOINT:
            message = f"returning clients of {other} are sent to {target}, not to that endpoint"
        else:
            message = (
                f"returning clients of {destinations(context, broken.endpoints)} are looked up in {asked}, {whose}: "
                + ("the other endpoint's clients are sent here" if other is not None else "none is ever found")
            )
        yield Fault(
            message,
            RESTART,
            at_rule(broken.rule, focus=f"--name {asked}"),
        )
    recording = list(broken_affinity(context, AffinityFault.FOREIGN_RECORD))
    recorded = Counter(broken.rule.match("recent", "--name") or "the default list" for broken in recording)
    for broken in recording:
        asked = broken.rule.match("recent", "--name") or "the default list"
        found = all(rule.match("recent", "--name") == broken.rule.match("recent", "--name") for rule in broken.related)
        alone = found and recorded[asked] == 1 and asked not in endpoint_chains(context).destinations
        effect = (
            "its rules look there, too, so they are found until kube-proxy rewrites some of these rules"
            if alone
            else "other endpoints do, too, so clients are sent to the first one that looks there"
            if found
            else "they are not found again, or are sent to another endpoint"
        )
        yield Fault(
            f"{destinations(context, broken.endpoints)} records its clients in {asked}, not in its own list: {effect}",
            RESTART,
            at_rule(broken.rule, focus=f"--name {asked}"),
            related=tuple(rule.line for rule in broken.related),
            severity=Severity.WARNING if alone else None,
        )
