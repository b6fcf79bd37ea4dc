"""A Service's rule matches a whole network, or every address, instead of one address.

What it checks:
    Every rule of nat KUBE-SERVICES that leads to a Service matches one address (/32, /128), as kube-proxy always writes
    it.

Why it matters:
    Connections to other addresses with the same port reach this Service's pods: connections to Services whose rules
    come later, and to machines outside.

Example:
    -A KUBE-SERVICES -d 10.96.0.0/24 -p tcp -m comment --comment "shop/web cluster IP" -m tcp --dport 80
      -j KUBE-SVC-E3PXEPMWAWIUT6ZV

How to fix:
    Restart kube-proxy on the node: it rewrites the rule.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, restart, rule
from ipt_explain.audit.evidence.services.front_rules import front_rules
from ipt_explain.model import Rule


@rule("IPT502", "vip-not-host", Severity.ERROR, evidence=(front_rules, "wide"))
def vip_not_host(context: RulesetContext) -> Faults:
    """One fault for each such rule."""
    for wide in front_rules(context).wide:
        words = _destination(wide)
        yield Fault(
            f"the rule takes connections to {words or 'every address'} on its port: those to other Services and "
            "machines reach this Service's pods",
            restart("writes the rule for one address"),
            at_rule(wide, focus=f"-d {wide.core('-d')}" if words else ""),
        )


def _destination(wide: Rule) -> str:
    option = wide.shape.core_option("-d")
    if option is None:
        return ""
    return f"everything but {wide.first(option)}" if option.negated else f"all of {wide.first(option)}"
