"""Whether KUBE-NODEPORTS was emptied: traces of Services' node ports in the rest of the text.

Facts: pkg/proxy/iptables/proxier.go. A Service's chain for outside clients (KUBE-EXT, before 1.24 KUBE-XLB) is only
written if an address or node port leads to it. 1.22 and 1.23 mark connections to a node port in the Service's own
chain. Up to 1.19 every Service of type LoadBalancer (KUBE-FW) has node ports.
"""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.analyzers.names import NODE_PORTS, ChainRole, hash_of, role_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.hooks.services_chain import services_chain
from ipt_explain.audit.evidence.marks.cluster_ip_marks import cluster_ip_marks
from ipt_explain.audit.fact import fact
from ipt_explain.model import Chain
from ipt_explain.records import Record

_ALL_WITH_NODE_PORTS = 19
# A single such chain may be left over.
_ENOUGH = 2
_OF_OUTSIDERS = (ChainRole.EXTERNAL, ChainRole.LOCAL_EXTERNAL)


class LostNodePorts(Record):
    """An empty KUBE-NODEPORTS, the Services that have node ports, and the lines that show it."""

    chain: Chain
    services: tuple[str, ...]
    lines: tuple[int, ...]


@fact
def lost_node_ports(context: RulesetContext) -> LostNodePorts | None:
    """None if nothing shows that node ports were lost."""
    chain, found = context.chain("nat", NODE_PORTS), services_chain(context)
    if chain is None or chain.layout.shapes or found.chain is None or not context.complete:
        return None
    leading = list(_uncalled(context))
    shown = [*_marked(context), *_load_balancers(context)]
    shown += leading if shown or len(leading) >= _ENOUGH else []
    if not shown:
        return None
    return LostNodePorts(
        chain, tuple(dict.fromkeys(service for service, _ in shown)), tuple(dict.fromkeys(line for _, line in shown))
    )


def _uncalled(context: RulesetContext) -> Iterator[tuple[str, int]]:
    """The chains for outside clients that nothing leads to, of Services with a ClusterIP."""
    jumps = context.jumps("nat")
    served = [service for service in context.services if service.cluster_ip is not None]
    labels = {hash_of(service.chains.service or ""): service.label for service in served}
    for name in () if jumps is None else sorted(jumps.uncalled):
        label = labels.get(hash_of(name)) if role_of(name) in _OF_OUTSIDERS else None
        chain = context.chain("nat", name)
        if label is not None and chain is not None and chain.layout.shapes and chain.line is not None:
            yield label, chain.line


def _marked(context: RulesetContext) -> Iterator[tuple[str, int]]:
    """The marks for node ports in Services' own chains."""
    for stray in cluster_ip_marks(context).strays:
        if stray.address[0] is None and stray.service is not None:
            yield stray.service.label, stray.rule.line


def _load_balancers(context: RulesetContext) -> Iterator[tuple[str, int]]:
    """The Services of type LoadBalancer with their lines, if kube-proxy's version gives all of them node ports."""
    for service in context.services if context.version.last <= _ALL_WITH_NODE_PORTS else ():
        chain = context.chain("nat", service.chains.firewall or "")
        if chain is not None and chain.line is not None:
            yield service.label, chain.line
