"""The filter table stops new connections to Services, between pods, or to the API server.

What it checks:
    New connections to every Service with endpoints pass the filter table; ipt-explain sends them through the dump. A
    rule or policy outside kube-proxy's chains that drops or refuses them after translation is reported. The severity
    depends on the effect (see IPT117). A rule or policy that would stop connections to host-network endpoints, if they
    run on this node, is a note. It is a warning if a rule would stop those to the API server, or if anything would stop
    those to NodeLocal DNSCache. Replies must pass, too: packets in state ESTABLISHED, in FORWARD and, for the node
    itself, in INPUT. In a dump without nat, ipt-explain sends a connection from a pod to another instead.

Why it matters:
    KUBE-FORWARD accepts marked packets and known connections, but not the first packet of a connection between pods:
    that is left to the network plugin's rules or the policy. Docker sets FORWARD's policy to DROP. firewalld and stock
    `iptables.service` files end INPUT and FORWARD with a REJECT that comes before the rules that plugins append. Pods
    then cannot reach each other, DNS or the API server.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    -A FORWARD -j REJECT --reject-with icmp-host-prohibited
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-SEP-H7FN6LU3RSH6CC2T - [0:0]
    :KUBE-SEP-4Q54R6TA6JE3WQSH - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-ERIFXISQEP7F7OF4 - [0:0]
    -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A KUBE-SEP-4Q54R6TA6JE3WQSH -p tcp -m tcp -j DNAT --to-destination 10.244.3.2:53
    -A KUBE-SEP-H7FN6LU3RSH6CC2T -p tcp -m tcp -j DNAT --to-destination 10.244.2.2:53
    -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "kube-system/kube-dns:dns-tcp cluster IP" -m tcp
      --dport 53 -j KUBE-SVC-ERIFXISQEP7F7OF4
    -A KUBE-SVC-ERIFXISQEP7F7OF4 -m statistic --mode random --probability 0.5 -j KUBE-SEP-H7FN6LU3RSH6CC2T
    -A KUBE-SVC-ERIFXISQEP7F7OF4 -j KUBE-SEP-4Q54R6TA6JE3WQSH
    COMMIT

How to fix:
    Accept pod traffic before the rule (`iptables -I FORWARD -s POD_CIDR -j ACCEPT`, and -d), or switch the other
    firewall off. Restart the network plugin if its rules come after the REJECT.

When to ignore:
    When pods are forwarded by rules that are not in this dump (nftables of firewalld, the other iptables backend) or by
    the network plugin's data plane (eBPF).
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule_or_chain, rule
from ipt_explain.audit.evidence.filter.host_endpoints import Stop, host_stops
from ipt_explain.audit.evidence.filter.pod_stops import pods_stop_at
from ipt_explain.audit.evidence.losses.causes import Cause, causes, possible_causes
from ipt_explain.audit.evidence.losses.faults import FIX_POLICY, fault_of
from ipt_explain.audit.evidence.losses.likely import likely_part
from ipt_explain.audit.evidence.losses.lossy import loses_or_may_stop
from ipt_explain.audit.evidence.losses.places import LossPlace
from ipt_explain.model import Rule
from ipt_explain.netfilter.nat import destination_text
from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.walk.path import Step
from ipt_explain.records import replace
from ipt_explain.services.fates import Loss
from ipt_explain.words import within

_FIX = (
    "Remove this rule, or accept pod traffic before it. If another firewall wrote it, switch that off and restart the "
    "network plugin."
)
_NAMED = 3


@rule("IPT601", "forward-drops-pods", Severity.ERROR, evidence=loses_or_may_stop, reads_absence=True)
def forward_drops_pods(context: RulesetContext) -> Faults:
    """One fault for each rule or policy."""
    certain = causes(context, LossPlace.FILTER)
    for cause in certain:
        yield _fault(cause)
    for cause in possible_causes(context, LossPlace.FILTER):
        likely = likely_part(cause)
        if likely is not None:
            yield _fault(likely, Severity.WARNING)
    stop = pods_stop_at(context)
    if stop is not None:
        yield _of_all_pods(stop)
    reported = {cause.place.line for cause in certain}
    yield from (_on_this_node(stop) for stop in host_stops(context) if stop.step.line not in reported)


def _fault(cause: Cause, severity: Severity | None = None) -> Fault:
    fault = fault_of(cause, FIX_POLICY if cause.is_policy else _FIX, severity)
    late = _behind(cause)
    if not late or cause.victims[0].lost.how is Loss.UNANSWERED:
        return fault
    return replace(
        fault,
        message=f"{fault.message}; they never reach the jump to {late[0].target} after it",
        related=tuple(jump.line for jump in late),
    )


def _of_all_pods(stop: Step) -> Fault:
    who = f"the policy of filter {stop.chain.name}" if stop.rule is None else "this rule"
    return Fault(
        f"{who} stops every new connection from a pod to another, and so to Services whose endpoints are pods; nat, "
        "which would show the Services, is not in this dump",
        FIX_POLICY if stop.rule is None else _FIX,
        at_rule_or_chain(stop.rule, stop.chain),
    )


def _on_this_node(stop: Stop) -> Fault:
    rule = stop.step.rule
    who = f"the policy of filter {stop.step.chain.name}" if rule is None else "this rule"
    family = stop.step.before.connection.family
    addresses = dict.fromkeys(destination_text(Heading(heading.address, None), family) for _, heading in stop.endpoints)
    fronts = dict.fromkeys(
        f"{service.label} ({destination_text(heading, family)})" for service, heading in stop.endpoints
    )
    if stop.of_cache:
        whom = f"NodeLocal DNSCache, which answers for {within(fronts, _NAMED)}"
    else:
        here = f"{next(iter(addresses))} is" if len(addresses) == 1 else "one of these is"
        whom = f"{within(fronts, _NAMED)}, if {here} an address of this node"
    grave = stop.of_cache or (rule is not None and stop.is_of_api_server)
    return Fault(
        f"{who} {'drops' if stop.dropped else 'refuses'} connections to {whom}",
        FIX_POLICY if rule is None else _FIX,
        at_rule_or_chain(rule, stop.step.chain),
        severity=Severity.WARNING if grave else Severity.INFO,
        key="cache" if stop.of_cache else "",
    )


def _behind(cause: Cause) -> list[Rule]:
    """Jumps after the rule, which may be meant to accept what it stops."""
    if cause.chain is None:
        return []
    rules = cause.chain.rules
    place = len(rules) if cause.rule is None else rules.index(cause.rule) + 1
    return [
        judged for judged in rules[place:] if judged.shape.target is not None and judged.shape.target.slot is not None
    ]
