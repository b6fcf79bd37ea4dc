"""An endpoint's DNAT has a different protocol than its Service.

What it checks:
    The DNAT in each endpoint's chain matches the protocol of the rules that lead to the Service.

Why it matters:
    A connection arrives with the Service's protocol, does not match the DNAT and falls through. This endpoint's share
    of connections leaves with the Service's own address as destination and is never answered.

Example:
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp
      --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m comment --comment "default/kubernetes:https" -j KUBE-SEP-QAI6IJGEKZYOMWSX
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p udp -m comment --comment "default/kubernetes:https" -m udp -j DNAT
      --to-destination 192.168.50.10:6443

How to fix:
    Restart kube-proxy on the node: it rewrites the chain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain

from ipt_explain.audit.authoring import RESTART, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.balancing_chains import balancing_chains
from ipt_explain.audit.evidence.balancing.endpoint_chains import endpoint_chains
from ipt_explain.audit.evidence.services.front_rules import front_rules
from ipt_explain.words.percents import percent


@rule("IPT508", "endpoint-wrong-protocol", Severity.ERROR)
def endpoint_wrong_protocol(context: RulesetContext) -> Faults:
    """One fault for each such endpoint."""
    protocols = front_rules(context).protocols
    endpoints = endpoint_chains(context)
    led = balancing_chains(context).targets
    asked: dict[str | None, list[Sequence[str]]] = defaultdict(list)
    for caller, targets in led.items():
        asked[protocols.get(caller[9:])].append(targets)
    wrong = {
        protocol
        for protocol, of_all in asked.items()
        for other, chains in endpoints.by_protocol.items()
        if protocol not in (None, other) and other and not frozenset(chains).isdisjoint(chain.from_iterable(of_all))
    }
    reported: set[str] = set()
    for caller, targets in led.items() if wrong else ():
        protocol = protocols.get(caller[9:])
        for target in targets if protocol in wrong else ():
            found = endpoints.protocol(target) if target in endpoints.destinations else ""
            if found in ("", protocol) or target in reported:
                continue
            reported.add(target)
            yield Fault(
                f"the DNAT is for {found}, but the Service is {protocol}: the share of "
                f"{endpoints.destination(target)}, {percent(1 / len(targets))} of new connections, is not translated "
                "and never answered",
                RESTART,
                at_rule(endpoints.dnat(target), focus=f"-p {found}"),
                service=context.service_of(caller),
            )
