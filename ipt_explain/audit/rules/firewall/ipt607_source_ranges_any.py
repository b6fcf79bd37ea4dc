"""Source ranges let everybody in.

What it checks:
    A load balancer's source ranges do not combine 0.0.0.0/0 (::/0) with others. From 1.24 on, when kube-proxy writes a
    firewall only for Services with ranges, they do not contain it at all.

Why it matters:
    The Service looks restricted, but every client may use it.

Example:
    -A KUBE-SERVICES -d 203.0.113.9/32 -p tcp -m comment --comment "shop/cart:http loadbalancer IP" -m tcp --dport 80
      -j KUBE-FW-XPGD46QRK7WJZT7O
    -A KUBE-FW-XPGD46QRK7WJZT7O -s 198.51.100.0/24 -m comment --comment "shop/cart:http loadbalancer IP"
      -j KUBE-EXT-XPGD46QRK7WJZT7O
    -A KUBE-FW-XPGD46QRK7WJZT7O -m comment --comment "shop/cart:http loadbalancer IP" -j KUBE-EXT-XPGD46QRK7WJZT7O

How to fix:
    Remove 0.0.0.0/0 from spec.loadBalancerSourceRanges, or the field as a whole.

When to ignore:
    When everybody may use the Service.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.filter.source_ranges import EVERYWHERE
from ipt_explain.audit.evidence.node.writer import writer
from ipt_explain.services.ports import Frontend, ServicePort
from ipt_explain.words import and_more, front


@rule("IPT607", "source-ranges-any", Severity.INFO, about=("KUBE-FW-",))
def source_ranges_any(context: RulesetContext) -> Faults:
    """At most one fault a ruleset, at the first such address."""
    only_with_ranges = writer(context).since(24)
    found: list[tuple[ServicePort, Frontend]] = []
    for service, frontend in context.frontends:
        needless = only_with_ranges or len(frontend.source_ranges) > 1
        if needless and not EVERYWHERE.isdisjoint(frontend.source_ranges):
            found.append((service, frontend))
    if found:
        service, frontend = found[0]
        addresses = front(frontend.address, frontend.port) + and_more(len(found) - 1, "address")
        yield Fault(
            f"the source ranges of {addresses} let every client in",
            "Remove 0.0.0.0/0 from loadBalancerSourceRanges, or the field.",
            at_rule(frontend.rule),
            service=service.label,
            related=tuple(other.rule.line for _, other in found[1:]),
        )
