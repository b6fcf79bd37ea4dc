"""Two pods claim the same host port; only the first gets its connections.

What it checks:
    No two entries of CNI-HOSTPORT-DNAT lead the same protocol, host address and port to different pods.

Why it matters:
    The first entry takes every connection. The portmap plugin leaves entries behind when a sandbox is not torn down
    properly, and the stale entry usually comes first: connections go to a pod that no longer exists and time out.

Example:
    -A CNI-HOSTPORT-DNAT -p tcp -m multiport --dports 8080 -j CNI-DN-1111111111111111111111
    -A CNI-HOSTPORT-DNAT -p tcp -m multiport --dports 8080 -j CNI-DN-2222222222222222222222
    -A CNI-DN-1111111111111111111111 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.244.1.7:80
    -A CNI-DN-2222222222222222222222 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.244.1.9:80

How to fix:
    Delete the entry of the pod that is gone, and its CNI-DN chain. A reboot clears them all.

When to ignore:
    While one pod replaces another.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.node.host_ports import container_of, find_clashes
from ipt_explain.words import address_port, aside

_ID_LENGTH = 12


@rule("IPT706", "stale-host-port", Severity.WARNING, about=("CNI-HOSTPORT-DNAT",))
def stale_host_port(context: RulesetContext) -> Faults:
    """One fault for each host port with several pods, at the second entry."""
    for clash in find_clashes(context.ruleset):
        first, second, *others = clash.entries
        where = f"{clash.protocol} {address_port(clash.address or '*', clash.port)}"
        yield Fault(
            f"host port {where} is mapped to {', '.join(clash.destinations)}: only the first gets connections"
            + aside([f"container {each[:_ID_LENGTH]}" for each in map(container_of, clash.entries) if each]),
            "Delete the entry of the pod that is gone, and its CNI-DN chain.",
            at_rule(second),
            related=(first.line, *(entry.line for entry in others)),
            key=where,
        )
