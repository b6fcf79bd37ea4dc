"""Which addresses are ClusterIPs, from KUBE-SERVICES alone, without reading their chains."""

from __future__ import annotations

from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import SERVICES, CommentKind, read_comment
from ipt_explain.model import Ruleset

# What a refusal in filter KUBE-SERVICES may be for; nat's rules name their kind.
_OF_CLUSTER_IPS = (CommentKind.CLUSTER_IP, CommentKind.NO_ENDPOINTS, CommentKind.NO_LOCAL_ENDPOINTS)


def is_cluster_ip(ruleset: Ruleset, address: str) -> bool:
    """Whether kube-proxy in iptables mode serves or refuses an address as a ClusterIP. Cost: one comparison a Service.

    Up to 1.19 the refusals of load balancers are among those of ClusterIPs, and count as such here.
    """
    plans = Plans()
    hosts = (address, f"{address}/32", f"{address}/128")
    for table in ("nat", "filter"):
        for rule in ruleset.rules(table, SERVICES):
            plan = plans[rule.shape]
            if plan.destination is None or rule.word(plan.destination.slot) not in hosts or plan.destination.negated:
                continue
            comment = plan.comment_of(rule)
            if comment is not None and read_comment(comment)[1] in _OF_CLUSTER_IPS:
                return True
    return False
