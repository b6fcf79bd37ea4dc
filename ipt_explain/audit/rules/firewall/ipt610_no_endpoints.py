"""Services without endpoints, whose connections are refused.

What it checks:
    Service ports whose ClusterIP is refused for lack of endpoints are listed in one note per dump. If a service port's
    external addresses are refused but its ClusterIP has no rule at all, that is a separate warning: kube-proxy writes
    both. A filter rule that accepts connections before kube-proxy refuses them is a separate note.

Why it matters:
    Clients get "connection refused" at once. These rules do not show why: no pod is ready, or the selector matches
    none.

Example:
    -A KUBE-SERVICES -d 10.96.0.24/32 -p tcp -m comment --comment "shop/legacy has no endpoints" -m tcp --dport 80
      -j REJECT --reject-with icmp-port-unreachable

How to fix:
    Check `kubectl get endpointslices -l kubernetes.io/service-name=NAME`, and whether the pods are ready.

When to ignore:
    For Services that are meant to have no endpoints right now.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, Location, RulesetContext, Severity, at_rule, restart, rule
from ipt_explain.audit.evidence.filter.refusals import unserved
from ipt_explain.audit.evidence.losses.lossy import INSIDE
from ipt_explain.audit.evidence.services.vital import is_vital
from ipt_explain.services.fates import ACCEPTED_FIRST, Decider, Vantage
from ipt_explain.services.losses import losses
from ipt_explain.services.ports import Frontend, FrontendKind, FrontendVerdict, ServicePort, ServiceState
from ipt_explain.words import both, listed

_NAMED = 5
_FIX = "Check whether its pods are ready, and whether its selector matches any."


@rule("IPT610", "no-endpoints", Severity.INFO, evidence=unserved)
def no_endpoints(context: RulesetContext) -> Faults:
    """At most one note a ruleset, and one fault for each service port whose ClusterIP has no rule."""
    refused = [service for service in context.services if service.state is ServiceState.NO_ENDPOINTS]
    if refused:
        yield from map(_vital, filter(is_vital, refused))
        refused = [service for service in refused if not is_vital(service)]
    if refused:
        labels = list(dict.fromkeys(service.label for service in refused))
        yield Fault(
            f"{listed(labels, _NAMED)}: no endpoints, so connections are refused",
            _FIX if len(labels) == 1 else "Check whether their pods are ready, and whether their selectors match any.",
            at_rule(refused[0].frontends[0].rule),
            services=tuple(labels),
            related=tuple(service.frontends[0].rule.line for service in refused[1:]),
        )
    yield from _bypassed(context)
    for service in context.services if context.knows_table("nat") else ():
        if _half_refused(service):
            first = service.frontends[0]
            yield Fault(
                "this Service has rules for connections from outside, but none that serves or refuses its "
                "ClusterIP: connections to it hang",
                restart("writes the rules of all of a Service's addresses together"),
                at_rule(first.rule),
                service=service.label,
                related=tuple(frontend.rule.line for frontend in service.frontends[1:]),
                severity=Severity.WARNING,
                key="half",
            )


def _bypassed(context: RulesetContext) -> Faults:
    met: dict[Decider, list[tuple[ServicePort, Vantage]]] = {}
    for service in filter(_is_declined, context.services):
        for _, vantage, lost in losses(service):
            if vantage in INSIDE and lost.why == ACCEPTED_FIRST:
                met.setdefault(lost.decider, []).append((service, vantage))
    for decider, passing in met.items():
        services = {service.label: service for service, _ in passing}
        origins = both([each.origin for each in INSIDE if any(vantage is each for _, vantage in passing)])
        yield Fault(
            f"this rule accepts connections from {origins} to {listed(services, _NAMED)} before kube-proxy refuses "
            "them for lack of endpoints: clients hang until they time out",
            "Move the rule after the jump to KUBE-SERVICES, or check why there are no endpoints.",
            Location(decider.chain, decider.line, decider.text, table=decider.table),
            services=tuple(services),
            related=tuple(service.frontends[0].rule.line for service in services.values()),
            key="bypassed",
            context=context.node.contexts[decider.ruleset],
        )


def _is_declined(service: ServicePort) -> bool:
    """Whether filter refuses connections to the ClusterIP."""
    return not service.endpoints and any(
        frontend.kind is FrontendKind.CLUSTER_IP and frontend.verdict is FrontendVerdict.REJECT
        for frontend in service.frontends
    )


def _vital(service: ServicePort) -> Fault:
    return Fault(
        f"{service.label} has no endpoints: its connections are refused, and the cluster depends on it",
        _FIX,
        at_rule(service.frontends[0].rule),
        service=service.label,
        severity=Severity.WARNING,
        key="vital",
    )


def _half_refused(service: ServicePort) -> bool:
    """Whether only refusals are left of a service port, and none for a ClusterIP."""
    return service.cluster_ip is None and service.name is not None and all(map(_is_refused, service.frontends))


def _is_refused(frontend: Frontend) -> bool:
    return frontend.rule.target in ("REJECT", "DROP")
