"""An address of a Service does not lead all the way to endpoints.

What it checks:
    KUBE-EXT and KUBE-FW lead on to the Service's endpoints; under policy Local, pods and the node itself are led to
    all of them; the tail fits the policy that the rest of the chain shows. Addresses lead to chains that are meant for
    them: a ClusterIP to KUBE-SVC or KUBE-SVL, a load balancer with source ranges to KUBE-FW. A Service whose chains
    stand has a rule for its ClusterIP, its external addresses have the ClusterIP's port, and its ports have the same
    addresses, node ports, or none.

Why it matters:
    Connections to such an address pass the node un-DNATed and are never answered, or take a way that was not meant for
    them: past the source ranges, to one node's pods only, or masqueraded without need.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-EXT-NPX46M4PTMTKRN6Y - [0:0]
    :KUBE-MARK-MASQ - [0:0]
    :KUBE-NODEPORTS - [0:0]
    :KUBE-SEP-QAI6IJGEKZYOMWSX - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
    -A PREROUTING -j KUBE-SERVICES
    -A KUBE-EXT-NPX46M4PTMTKRN6Y -m comment --comment "masquerade traffic for default/kubernetes:https external
      destinations" -j KUBE-MARK-MASQ
    -A KUBE-NODEPORTS -p tcp -m comment --comment "default/kubernetes:https" -m tcp --dport 30443
      -j KUBE-EXT-NPX46M4PTMTKRN6Y
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -s 192.168.50.10/32 -j KUBE-MARK-MASQ
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m tcp -j DNAT --to-destination 192.168.50.10:6443
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp
      --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-QAI6IJGEKZYOMWSX
    COMMIT

How to fix:
    Restart kube-proxy on the node, which writes the rules anew.

When to ignore:
    When the text was cut by a filter that left out such rules.
"""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.analyzers.ways import BrokenWay, UnequalPorts, WayFault, Ways, read_ways
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.balancers import named
from ipt_explain.audit.fault import NOWHERE, Fault, at_chain, at_rule
from ipt_explain.audit.finding import Severity
from ipt_explain.audit.rule import rule
from ipt_explain.services.ports import Frontend, FrontendKind
from ipt_explain.words.addresses import front

_FIX = "Restart kube-proxy on this node: it writes the rules anew."
_EFFECTS = {
    WayFault.NO_TAIL: "{chain} leads outsiders to no endpoint: connections to {what} leave the node un-DNATed, and "
    "nothing answers them",
    WayFault.NO_NODE_ROUTE: "{chain} marks the node's own connections but does not lead them to all endpoints: they "
    "reach endpoints of this node only, or none",
    WayFault.NO_POD_ROUTE: "{chain} does not lead pods to all endpoints, as other Services' chains do: their "
    "connections are treated like those from outside and reach endpoints of this node only, or none",
    WayFault.WRONG_TAIL: "{chain} masquerades connections from everywhere, as under policy Cluster, but leads them to "
    "endpoints of this node only: the others get nothing from outside",
    WayFault.NO_CLUSTER_IP: "the Service is reached by {what}, but no rule is for its ClusterIP: connections to that "
    "leave the node un-DNATed, and nothing answers them",
    WayFault.LOST_POLICY: "{chain} has the rules of policy Local, but leads outsiders to all endpoints: they are not "
    "masqueraded, and replies of endpoints on other nodes may not come back",
    WayFault.ROLE: "{what} leads to {target}, which is not meant for it: connections are masqueraded or confined to "
    "this node's endpoints otherwise than the Service asks",
    WayFault.PORT: "{what} has another port than the Service's ClusterIP: connections to the right port leave the node "
    "un-DNATed, and nothing answers them",
    WayFault.BYPASS: "{what} leads to {target}, past the chain that checks source ranges: clients from everywhere get "
    "through",
}
_SEVERITIES = {
    WayFault.NO_NODE_ROUTE: Severity.WARNING,
    WayFault.NO_POD_ROUTE: Severity.WARNING,
    WayFault.WRONG_TAIL: Severity.WARNING,
    WayFault.LOST_POLICY: Severity.INFO,  # some distributions fall back so on purpose
    WayFault.ROLE: Severity.WARNING,
}


@rule("IPT520", "affinity-and-policy-chain-missing", Severity.ERROR, reads_absence=True, yields_to=("IPT415", "IPT504"))
def affinity_and_policy_chain_missing(context: RulesetContext) -> Iterator[Fault]:
    """One fault for each service port and fault; nothing where a table is missing from the text."""
    if not (context.knows_table("nat") and context.knows_table("filter")):
        return
    ways = context.derived(_ways)
    yield from map(_broken, ways.broken)
    yield from map(_unequal, ways.unequal)


def _ways(context: RulesetContext) -> Ways:
    return read_ways(context.ruleset, context.services)


def _broken(way: BrokenWay) -> Fault:
    target = None if way.rule is None else way.rule.target
    if way.rule is not None:
        table = "nat" if (target or "").startswith("KUBE-") else "filter"
        place = at_rule(table, way.rule, focus=target or "")
    else:
        place = NOWHERE if way.chain is None else at_chain("nat", way.chain)
    return Fault(
        _EFFECTS[way.fault].format(
            chain="" if way.chain is None else way.chain.name, what=named(map(_what, way.frontends)), target=target
        ),
        _FIX,
        place,
        service=way.service.label,
        related=tuple(frontend.rule.line for frontend in way.frontends),
        severity=_SEVERITIES.get(way.fault),
        key=way.fault.name,
    )


def _unequal(unequal: UnequalPorts) -> Fault:
    service, other = unequal.service, unequal.others[0]
    own = service.frontends[0].rule
    lacks = "node port" if unequal.kind is FrontendKind.NODE_PORT else f"rule for {unequal.lacks}"
    return Fault(
        f"this port has no {lacks}, though {'the other port' if len(unequal.others) == 1 else 'all other ports'} of "
        "its Service do: connections to it pass the node un-DNATed",
        _FIX,
        at_rule("nat" if own.target is None or own.target.startswith("KUBE-") else "filter", own),
        service=service.label,
        related=tuple(frontend.rule.line for frontend in unequal.others),
        severity=Severity.WARNING,
        key=f"{other.kind.value} {unequal.lacks}",
    )


def _what(frontend: Frontend) -> str:
    return front(frontend.address, frontend.port)
