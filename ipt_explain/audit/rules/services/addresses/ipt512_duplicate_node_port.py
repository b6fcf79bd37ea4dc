"""Two Services claim one node port; only the first gets its connections.

What it checks:
    In nat KUBE-NODEPORTS no two rules for one protocol and port lead to chains of different service ports.

Why it matters:
    The first rule that matches wins. Connections meant for the second Service reach the pods of the first.

Example:
    -A KUBE-NODEPORTS -p tcp -m comment --comment "shop/web" -m tcp --dport 30080 -j KUBE-EXT-E3PXEPMWAWIUT6ZV
    -A KUBE-NODEPORTS -p tcp -m comment --comment "shop/api" -m tcp --dport 30080 -j KUBE-EXT-YI7FANR2652WTB3A

How to fix:
    Restart kube-proxy on the node. The API server gives a node port to one Service only, so one of the rules is left
    over or was added by hand.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.names.proof import label
from ipt_explain.audit.evidence.services.front_rules import front_rules


@rule("IPT512", "duplicate-node-port", Severity.ERROR, evidence=(front_rules, "node_port_clashes"))
def duplicate_node_port(context: RulesetContext) -> Faults:
    """One fault for each rule that comes too late."""
    fronts = front_rules(context)
    names = {id(named.evidence.rule): label(named.name) for named in fronts.named}
    for clash in fronts.node_port_clashes:
        protocol = clash.second.core("-p") or ""
        yield Fault(
            f"node port {clash.second.match(protocol, '--dport')}/{protocol} is claimed by two Services: the "
            f"earlier rule sends every connection to {names.get(id(clash.first), clash.first.target)}, and this "
            "one gets none",
            "Restart kube-proxy on this node: a node port belongs to one Service.",
            at_rule(clash.second),
            service=names.get(id(clash.second)),
            related=(clash.first.line,),
        )
