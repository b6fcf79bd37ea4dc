"""An endpoint's DNAT has options that kube-proxy never writes.

What it checks:
    The DNAT in endpoint chains leads to one address and port, without `--random`, `--persistent` or ranges.

Why it matters:
    The kernel then picks the port or address itself for each connection. The pod gets connections on ports where
    nothing listens, or one chain serves several pods.

Example:
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m tcp -j DNAT --to-destination 192.168.50.10:6443-6450 --random

How to fix:
    Restart kube-proxy on the node: it rewrites the chain.

When to ignore:
    When the rules are your own and the option is intended.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import RESTART, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.endpoint_chains import foreign_flags
from ipt_explain.model import Rule
from ipt_explain.words import both


@rule("IPT509", "endpoint-foreign-flags", Severity.WARNING, evidence=foreign_flags)
def endpoint_foreign_flags(context: RulesetContext) -> Faults:
    """One fault for each such rule."""
    return (_fault(judged, flags) for judged, flags in foreign_flags(context))


def _fault(judged: Rule, flags: list[str]) -> Fault:
    destination = judged.target_value("--to-destination") or ""
    odd = [*flags, *([destination] if "-" in destination else [])]
    return Fault(
        f"the DNAT has {both(odd)}, which kube-proxy never writes: the kernel picks the address or port itself, "
        "not that of one endpoint",
        RESTART,
        at_rule(judged, focus=odd[0]),
    )
