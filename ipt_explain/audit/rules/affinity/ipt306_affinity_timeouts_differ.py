"""Rules of one Service remember its clients for different times.

What it checks:
    All rules that look up returning clients of one Service have the same `--seconds`, in all its chains and ports, as
    the timeout belongs to the Service.

Why it matters:
    How long a client keeps its pod depends on the pod, port or address.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-AAAAAAAAAAAAAAAA
      --mask 255.255.255.255 --rsource -j KUBE-SEP-AAAAAAAAAAAAAAAA
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m recent --rcheck --seconds 60 --reap --name KUBE-SEP-BBBBBBBBBBBBBBBB
      --mask 255.255.255.255 --rsource -j KUBE-SEP-BBBBBBBBBBBBBBBB

How to fix:
    Restart kube-proxy on the node: it rewrites the chains.

When to ignore:
    Right after the Service's timeout was changed.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from ipt_explain.audit.authoring import RESTART, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.affinity import AffinityCheck, affinity
from ipt_explain.audit.evidence.names.proof import name_evidence


@rule("IPT306", "affinity-timeouts-differ", Severity.WARNING, about=("-m recent",))
def affinity_timeouts_differ(context: RulesetContext) -> Faults:
    """One fault for each Service, at the first rule that has another timeout than most."""
    timeouts = affinity(context).timeouts
    if not timeouts:
        return
    proved = name_evidence(context).proved
    by_service: dict[str, list[AffinityCheck]] = defaultdict(list)
    for key, checks in timeouts.items():
        name = proved.get(key)
        by_service[key if name is None else name.spelled.partition(":")[0]] += checks
    for together in by_service.values():
        counts = Counter(check.seconds for check in together if check.possible)
        if len(counts) > 1:
            usual = counts.most_common(1)[0][0]
            odd = [check for check in together if check.possible and check.seconds != usual]
            yield Fault(
                f"this rule remembers clients for {odd[0].seconds} s, but {counts[usual]} of {counts.total()} rules "
                f"of the Service for {usual} s: how long a client keeps its pod depends on how it gets here",
                RESTART,
                at_rule(odd[0].rule, focus=f"--seconds {odd[0].seconds}"),
                related=tuple(check.rule.line for check in odd[1:]),
            )
