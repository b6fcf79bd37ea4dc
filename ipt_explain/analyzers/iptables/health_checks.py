"""Health check node ports: where load balancers ask whether this node has endpoints of its own."""

from __future__ import annotations

from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import NODE_PORTS, CommentKind, read_comment
from ipt_explain.model import Ruleset
from ipt_explain.services.evidence import rules_of


def health_check_ports(ruleset: Ruleset, plans: Plans) -> dict[tuple[str, str, str], int]:
    """Health check node ports by service port; kube-proxy 1.21 and later accept them in filter KUBE-NODEPORTS."""
    chain = ruleset.chain("filter", NODE_PORTS)
    ports: dict[tuple[str, str, str], int] = {}
    for rule in rules_of(chain):
        plan = plans[rule.shape]
        comment = plan.comment_at(rule)
        if comment is None or plan.destination_port is None:
            continue
        name, kind = read_comment(comment)
        port = plan.destination_port.at(rule)
        if name is not None and kind is CommentKind.HEALTH_CHECK and port.isdecimal():
            ports[name.namespace, name.name, name.port] = int(port)
    return ports
