"""A Service with policy Local and no local endpoint does not drop: its packets pass untranslated.

What it checks:
    If a traffic policy is Local and this node has no endpoint, connections are dropped: up to 1.24 by a jump to
    KUBE-MARK-DROP in KUBE-XLB or KUBE-SVL, from 1.25 on by a DROP in filter KUBE-EXTERNAL-SERVICES for each address and
    node port.

Why it matters:
    Without the DROP a connection to the node port reaches whatever listens on that port of the node. A connection to an
    external address is forwarded to wherever routing sends it, possibly back to this node.

Example:
    *filter
    :FORWARD ACCEPT [0:0]
    :KUBE-EXTERNAL-SERVICES - [0:0]
    -A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals"
      -j KUBE-EXTERNAL-SERVICES
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-EXT-GHM4BSQCAU6W7P6S - [0:0]
    :KUBE-MARK-MASQ - [0:0]
    :KUBE-NODEPORTS - [0:0]
    :KUBE-SEP-CYQKAFD44RQ3NCVN - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-GHM4BSQCAU6W7P6S - [0:0]
    -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A KUBE-EXT-GHM4BSQCAU6W7P6S -m comment --comment "masquerade LOCAL traffic for shop/cart external destinations"
      -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
    -A KUBE-EXT-GHM4BSQCAU6W7P6S -m comment --comment "route LOCAL traffic for shop/cart external destinations"
      -m addrtype --src-type LOCAL -j KUBE-SVC-GHM4BSQCAU6W7P6S
    -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
    -A KUBE-NODEPORTS -p tcp -m comment --comment "shop/cart" -m tcp --dport 30015 -j KUBE-EXT-GHM4BSQCAU6W7P6S
    -A KUBE-SEP-CYQKAFD44RQ3NCVN -s 10.244.2.6/32 -m comment --comment "shop/cart" -j KUBE-MARK-MASQ
    -A KUBE-SEP-CYQKAFD44RQ3NCVN -p tcp -m comment --comment "shop/cart" -m tcp -j DNAT
      --to-destination 10.244.2.6:8080
    -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
    -A KUBE-SVC-GHM4BSQCAU6W7P6S -m comment --comment "shop/cart -> 10.244.2.6:8080" -j KUBE-SEP-CYQKAFD44RQ3NCVN
    COMMIT

How to fix:
    Restart kube-proxy on the node: it writes the DROP.

When to ignore:
    When nothing listens on the port and nobody routes the address to this node.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import EXTERNAL_SERVICES, ChainRole, role_of
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, restart, rule
from ipt_explain.audit.evidence.filter.refusals import unserved
from ipt_explain.model import Chain
from ipt_explain.services.ports import Frontend, FrontendVerdict, ServicePort
from ipt_explain.words import front

_SEARCHED = 200
_LOCAL = (ChainRole.EXTERNAL, ChainRole.LOCAL_EXTERNAL, ChainRole.LOCAL, ChainRole.FIREWALL)


@rule(
    "IPT611",
    "local-blackhole-open",
    Severity.WARNING,
    evidence=unserved,
    reads_absence=True,
    yields_to=("IPT520",),
    gathers=True,
)
def local_blackhole_open(context: RulesetContext) -> Faults:
    """One fault for each address and node port."""
    for service, frontend in unserved(context):
        if frontend.verdict is FrontendVerdict.UNMATCHED and _nothing_local(context, service, frontend):
            yield Fault(
                f"{front(frontend.address, frontend.port)} has policy Local and no endpoint on this node, but nothing "
                "drops its connections: they pass untranslated",
                restart("writes the DROP"),
                at_rule(frontend.rule),
                service=service.label,
                related=_refusals(context, frontend),
            )


def _nothing_local(context: RulesetContext, service: ServicePort, frontend: Frontend) -> bool:
    """Whether the frontend's chain is one of a Local policy, and the service's local chain has no endpoint."""
    chain = context.chain("nat", frontend.rule.target or "")
    if chain is None or role_of(chain.name) not in _LOCAL:
        return False
    if role_of(chain.name) is ChainRole.FIREWALL and not any(role_of(judged.target or "") for judged in chain.rules):
        return False  # it lets no packet pass, whatever the policy
    members = [chain]
    if role_of(chain.name) is ChainRole.EXTERNAL and not _is_local(chain):
        return False
    for judged in chain.rules:
        behind = context.chain("nat", judged.target or "")
        if behind is not None and role_of(behind.name) in _LOCAL:
            members.append(behind)
    local = context.chain("nat", service.chains.local) if service.chains.local is not None else None
    if local is not None:
        members.append(local)
    return not any(role_of(judged.target or "") is ChainRole.ENDPOINT for member in members for judged in member.rules)


def _is_local(chain: Chain) -> bool:
    """Whether a KUBE-EXT chain is that of policy Local: it leads the node's own connections aside."""
    return any(judged.shape.has_match("addrtype") for judged in chain.rules)


def _refusals(context: RulesetContext, frontend: Frontend) -> tuple[int, ...]:
    """Rules whose comment names the frontend, in the chain where its DROP belongs."""
    name = (frontend.rule.comment or "").removesuffix(" loadbalancer IP").removesuffix(" external IP")
    rules = context.ruleset.rules("filter", EXTERNAL_SERVICES)
    wanted = f"{name} has no local endpoints"
    return tuple(judged.line for judged in rules[:_SEARCHED] if judged.comment == wanted)
