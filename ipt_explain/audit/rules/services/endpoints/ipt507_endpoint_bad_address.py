"""An endpoint has an address or port where nothing can answer.

What it checks:
    Each endpoint's DNAT leads to one address and a port from 1 to 65535. The address is not 0.0.0.0, loopback,
    multicast or broadcast.

Why it matters:
    Connections to this endpoint fail, or reach a process on the node. Port 0 or 0.0.0.0:0 is left over when iptables of
    different releases save and restore each other's rules. A DNAT without a port keeps the port that packets are sent
    to, which is right only for a pod that listens on the Service's port, and for no node port.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m comment --comment "default/kubernetes:https" -j KUBE-SEP-QAI6IJGEKZYOMWSX
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m comment --comment "default/kubernetes:https" -m tcp -j DNAT
      --to-destination 192.168.50.10:0

How to fix:
    Restart kube-proxy on the node. If the address comes back, use one release of iptables on the node and in its
    containers, and check the Service's endpoints.
"""

from __future__ import annotations

from itertools import filterfalse
from operator import itemgetter

from ipt_explain.analyzers.iptables.endpoints import split_destination
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.endpoint_chains import endpoint_chains

_NOWHERE = (
    *("0.", "127.", "255.255.255.255", ":", "[::]", "[::1]", "[ff", "[::ffff:127."),
    *(f"{octet}." for octet in range(224, 240)),
)
_head, _tail = itemgetter(slice(4)), itemgetter(slice(-6, None))
_HEADS = tuple(map(_head, _NOWHERE))


@rule("IPT507", "endpoint-bad-address", Severity.ERROR)
def endpoint_bad_address(context: RulesetContext) -> Faults:
    """One fault for each such endpoint."""
    endpoints = endpoint_chains(context)
    # There are as many as endpoints, but their ends and beginnings are few.
    written = endpoints.destinations.values()
    tails = set(filterfalse(_has_port, set(map(_tail, written))))
    heads = {head for head in set(map(_head, written)) if head.startswith(_HEADS)}
    if not tails and not heads:
        return
    for chain, destination in endpoints.destinations.items():
        if "-" in destination:
            continue  # a range is another rule's
        problem, severity = "", Severity.ERROR
        if split_destination(destination)[1] is None and _tail(destination) in tails:
            problem, severity = "names no port: connections keep the one that they were sent to", Severity.WARNING
        elif _tail(destination) in tails:
            problem = "has no valid port: connections to it fail"
        elif _head(destination) in heads and destination.startswith(_NOWHERE):
            problem = "is no machine's address: connections to it fail"
        if problem:
            yield Fault(
                f"the endpoint {destination} {problem}",
                "Restart kube-proxy on this node; if it comes back, check the Service's endpoints.",
                at_rule(endpoints.dnat(chain), focus=f"--to-destination {destination}"),
                severity=severity,
            )


def _has_port(tail: str) -> bool:
    """Whether an address that ends so ends in a port from 1 to 65535."""
    _, colon, port = tail.rpartition(":")
    return bool(colon) and port.isdecimal() and 0 < int(port) < 65536
