"""Connections to a Service do not arrive, and no other rule says why.

What it checks:
    New connections to every Service with endpoints reach one of them. ipt-explain sends them through all tables and
    hooks of the dump: to each ClusterIP from an ordinary pod and from the node itself; to node ports, external
    addresses and load balancers from outside. If they end anywhere else (dropped, refused, sent to an address that is
    not an endpoint, or sent on untranslated), this rule names the rule or chain responsible, unless a more specific
    rule already reports it. Losses that depend on things the dump does not show are left out; in a part of a dump, so
    are losses that no rule in it causes. Connections that a Service itself refuses (no endpoints, policy Local, source
    ranges) are not losses.

    It is an error if a Service is cut off entirely, or if default/kubernetes or kube-dns loses any connections, and a
    warning if some endpoints or a share of connections are lost. It applies to every mode of kube-proxy.

Why it matters:
    Clients time out or get the wrong answer, always or now and then, though Services and pods look healthy.

Example:
    *mangle
    :PREROUTING ACCEPT [0:0]
    :POSTROUTING ACCEPT [0:0]
    -A POSTROUTING -d 10.244.2.0/24 -j DROP
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    :KUBE-SEP-H7FN6LU3RSH6CC2T - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-ERIFXISQEP7F7OF4 - [0:0]
    -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A KUBE-SEP-H7FN6LU3RSH6CC2T -p tcp -m tcp -j DNAT --to-destination 10.244.2.2:53
    -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "kube-system/kube-dns:dns-tcp cluster IP" -m tcp
      --dport 53 -j KUBE-SVC-ERIFXISQEP7F7OF4
    -A KUBE-SVC-ERIFXISQEP7F7OF4 -j KUBE-SEP-H7FN6LU3RSH6CC2T
    COMMIT

How to fix:
    Remove the rule, or narrow it so that it does not match Service traffic. `ipt-explain trace` shows the full path of
    one such connection. If the rule is in one of kube-proxy's chains, restart kube-proxy: it rewrites them. If it is a
    policy, set it to ACCEPT.

When to ignore:
    When the rule is meant to keep this traffic from the Service.
"""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.audit.authoring import RESTART_RULES, BackendContext, Faults, Severity, service_rule
from ipt_explain.audit.evidence.losses.causes import Cause, causes
from ipt_explain.audit.evidence.losses.faults import FIX_POLICY, fault_of
from ipt_explain.audit.evidence.losses.lossy import lossy_fates
from ipt_explain.audit.evidence.losses.places import LossPlace
from ipt_explain.services.fates import Loss

_FIX_CHAIN = f"{RESTART_RULES} ipt-explain trace shows the full path."
_FIX = "Remove the rule or narrow it; ipt-explain trace shows the full path of such a connection."
_STOPPED = (Loss.DROPPED, Loss.REJECTED)


@service_rule("IPT117", "service-traffic-lost", Severity.ERROR, evidence=lossy_fates, catch_all=True)
def service_traffic_lost(context: BackendContext) -> Faults:
    """One fault for each cause."""
    for cause in causes(context, LossPlace.ELSEWHERE) if context.complete else _of_shown_rules(context):
        yield fault_of(cause, FIX_POLICY if cause.is_policy else _FIX if cause.is_rule else _FIX_CHAIN)


def _of_shown_rules(context: BackendContext) -> Iterator[Cause]:
    """What a part of a dump tells for certain: rules in it that stop connections. Other rules look at whole dumps."""
    for place in LossPlace:
        for cause in causes(context, place) if place is not LossPlace.POLICY else ():
            if cause.is_rule and all(victim.lost.how in _STOPPED for victim in cause.victims):
                yield cause
