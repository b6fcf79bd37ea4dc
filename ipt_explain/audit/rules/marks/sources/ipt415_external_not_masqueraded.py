"""Connections from outside to a Service are not masqueraded, so replies bypass this node.

What it checks:
    If external addresses and node ports lead to all endpoints (externalTrafficPolicy Cluster), connections are marked
    for masquerading before the jump to the Service: in KUBE-EXT (1.24 and later), and before that in KUBE-FW, next to
    the jump or in KUBE-SVC. Under policy Local the node's own connections are marked before the rule that leads them to
    all endpoints, and so are (1.10 to 1.23) connections to node ports on 127.0.0.1.

Why it matters:
    The connection goes to a pod on another node with the client's address as source. The pod answers the client
    directly, from an address that the client never contacted, and the connection hangs. It works only if the pod
    happens to be on this node.

Example:
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-EXT-7AZ64RN3BZ2QJCPH - [0:0]
    :KUBE-NODEPORTS - [0:0]
    :KUBE-SEP-FH6AP6PO57ZBIDDN - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-7AZ64RN3BZ2QJCPH - [0:0]
    -A KUBE-EXT-7AZ64RN3BZ2QJCPH -j KUBE-SVC-7AZ64RN3BZ2QJCPH
    -A KUBE-NODEPORTS -p tcp -m comment --comment "default/web" -m tcp --dport 30025 -j KUBE-EXT-7AZ64RN3BZ2QJCPH
    -A KUBE-SEP-FH6AP6PO57ZBIDDN -s 10.244.1.7/32 -m comment --comment "default/web" -j KUBE-MARK-MASQ
    -A KUBE-SEP-FH6AP6PO57ZBIDDN -p tcp -m comment --comment "default/web" -m tcp -j DNAT
      --to-destination 10.244.1.7:8080
    -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
    -A KUBE-SVC-7AZ64RN3BZ2QJCPH -m comment --comment "default/web -> 10.244.1.7:8080" -j KUBE-SEP-FH6AP6PO57ZBIDDN
    COMMIT

How to fix:
    Restart kube-proxy on the node: it writes the mark.

When to ignore:
    When the dump was filtered and the mark's line left out.
"""

from __future__ import annotations

from collections import defaultdict

from ipt_explain.analyzers.names import NODE_PORTS, SERVICES
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, fact, restart, rule
from ipt_explain.audit.evidence.filter.refusals import exposed
from ipt_explain.audit.evidence.marks.cluster_ip_marks import mark_reader
from ipt_explain.audit.evidence.marks.external import Unmarked, UnmarkedFrontend, external_marks
from ipt_explain.words import front

_EFFECTS = {
    Unmarked.OUTSIDE: "connections from outside to {what} are not masqueraded: if the endpoint is on another node, "
    "its reply bypasses this one and the connection hangs",
    Unmarked.NODE: "the node's own connections to {what} go to all endpoints without being masqueraded: replies "
    "from other nodes may not come back",
    Unmarked.LOOPBACK: "connections to {what} on 127.0.0.1 are not masqueraded: they leave the node with a loopback "
    "source, and nothing answers them",
}


@rule("IPT415", "external-not-masqueraded", Severity.ERROR, evidence=exposed, gathers=True)
def external_not_masqueraded(context: RulesetContext) -> Faults:
    """One fault for each service port and place."""
    for unmarked in external_marks(context):
        chain = context.chain("nat", unmarked.rule.chain)
        if chain is not None and context.knows_chain(chain) and not _others_masquerade(unmarked):
            yield Fault(
                _EFFECTS[unmarked.who].format(what=front(unmarked.frontend.address, unmarked.frontend.port)),
                restart("writes the mark before the jump to the endpoints"),
                at_rule(unmarked.rule),
                service=unmarked.service.label,
                related=(unmarked.frontend.rule.line, *_meant(context, unmarked)),
                severity=None if unmarked.who is Unmarked.OUTSIDE else Severity.WARNING,
            )


def _others_masquerade(unmarked: UnmarkedFrontend) -> bool:
    """Whether the connections leave masqueraded even so."""
    fates = unmarked.frontend.fates
    if fates is None or unmarked.who is Unmarked.LOOPBACK:
        return False
    return (fates.outside if unmarked.who is Unmarked.OUTSIDE else fates.node).masqueraded is True


def _meant(context: RulesetContext, unmarked: UnmarkedFrontend) -> tuple[int, ...]:
    """Marks that carry the frontend's comment, but ask for something else."""
    frontend = unmarked.frontend.rule
    return tuple(line for line in _marks_by_comment(context).get((frontend.chain, frontend.comment), ()))


@fact
def _marks_by_comment(context: RulesetContext) -> dict[tuple[str, str | None], list[int]]:
    found: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    for (chain, _), marks in mark_reader(context).by_address.items():
        for mark in marks if chain in (SERVICES, NODE_PORTS) else ():
            found[chain, mark.rule.comment].append(mark.line)
    return found
