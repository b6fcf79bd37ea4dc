"""nftables: pods or the node itself do not reach all endpoints of a Service with policy Local.

What it checks:
    In nftables mode the chain for such a Service's external addresses sends the node's own connections, masqueraded,
    and pods' connections to all endpoints; only other connections are limited to this node's endpoints. The two rules
    for the node come together, and if most Services have one for pods, all do.

Why it matters:
    Connections from this node or its pods are dropped if the node has no endpoint of the Service, or replies do not
    come back.

Example:
    table ip kube-proxy {
    map service-nodeports {
    type inet_proto . inet_service : verdict
    elements = { tcp . 30080 : goto external-SUSTUHLJ-default/web/tcp/http }
    }
    chain nat-prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    jump services
    }
    chain services {
    fib daddr type local meta l4proto . th dport vmap @service-nodeports
    }
    chain external-SUSTUHLJ-default/web/tcp/http {
    fib saddr type local goto service-SUSTUHLJ-default/web/tcp/http
    goto local-SUSTUHLJ-default/web/tcp/http
    }
    chain local-SUSTUHLJ-default/web/tcp/http {
    meta l4proto tcp dnat to 10.244.2.2:8080
    }
    chain service-SUSTUHLJ-default/web/tcp/http {
    meta l4proto tcp dnat to 10.244.2.2:8080
    }
    }

How to fix:
    Restart kube-proxy on the node: it rewrites its tables. Then find what changed them.
"""

from __future__ import annotations

from collections import Counter

from ipt_explain.analyzers.nftables.names import ChainKind, proxy_chain
from ipt_explain.analyzers.nftables.tables import SOURCE_ADDRESSES
from ipt_explain.audit.authoring import RESTART_TABLES, Fault, Faults, NftContext, Severity, nft_rule
from ipt_explain.audit.evidence.nftables.order import external_rules
from ipt_explain.model import nft
from ipt_explain.model.nft.printing import expression_text


@nft_rule("IPT919", "nft-short-circuit-lost", Severity.ERROR, reads_absence=True, gathers=True)
def nft_short_circuit_lost(context: NftContext, table: nft.Table) -> Faults:
    """One fault for each chain."""
    ranks = {chain: external_rules(chain) for chain in table.chains.values() if _is_local(chain)}
    knows_pods = any(service.masquerade.off_cluster is not None for service in context.services)
    for_pods = knows_pods or sum(0 in rules for rules in ranks.values()) * 2 > len(ranks)
    conditions = Counter(
        each.masquerade.off_cluster for each in context.services if each.masquerade.off_cluster is not None
    )
    pods = conditions.most_common(1)[0][0] if conditions else None
    for chain, rules in ranks.items():
        known = proxy_chain(chain.name)
        if known is None:
            continue
        lacking = [what for rank, what in _NEEDED if rank not in rules]
        if for_pods and 0 not in rules:
            lacking.append(f"rule that sends pods to all endpoints: {_ONLY_HERE}")
        elif pods is not None and not _for_pods(chain, pods):
            whose = f"pods, which have addresses in {pods},"
            lacking.append(f"rule that sends {whose} to all endpoints: {_ONLY_HERE}")
        for what in lacking:
            yield Fault(
                f"the chain for external addresses lacks the {what}",
                RESTART_TABLES,
                context.at_rule(table, chain, chain.rules[-1]),
                service=known.port.spelled,
            )


_ONLY_HERE = "they reach only endpoints on this node, and are dropped if there are none"
_NEEDED = (
    (1, "rule that masquerades the node's own connections: their replies may not come back"),
    (2, f"rule that sends the node's own connections to all endpoints: {_ONLY_HERE}"),
)


def _for_pods(chain: nft.Chain, pods: str) -> bool:
    """Whether what the chain asks of sources is that they are in the pods' network; also if it asks other things."""
    for rule in chain.rules:
        for each in rule.of(nft.Match):
            if each.left in SOURCE_ADDRESSES:
                return each.operator is nft.Operator.EQUAL and expression_text(each.right) == pods
    return True


def _is_local(chain: nft.Chain) -> bool:
    """Whether it is the chain of a Service with policy Local: those of policy Cluster ask nothing of a packet."""
    known = proxy_chain(chain.name)
    return known is not None and known.kind is ChainKind.EXTERNAL and bool({0, 2} & external_rules(chain))
