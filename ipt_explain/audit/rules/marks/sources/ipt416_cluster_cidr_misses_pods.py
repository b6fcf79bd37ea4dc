"""The network that kube-proxy treats as the pod network does not contain the pods.

What it checks:
    `! -s CIDR` in the rules that mark ClusterIP traffic for masquerading is the pod network (--cluster-cidr). It is
    reported if all endpoints of cluster DNS are outside this network, and so are those of most other Services. In a
    dump without cluster DNS, at least two Services must have all of their endpoints outside. Networks as small as one
    node's (/20 and smaller, with --detect-local-mode=NodeCIDR) are not judged. IPT515 reports a
    network that contains the Services' own addresses.

Why it matters:
    kube-proxy treats every pod as a client from outside the cluster, and masquerades its connections to ClusterIPs:
    servers see the node's address, NetworkPolicies that select pods do not match, and connections use up ports of the
    node. Where external traffic policy is Local, pods may also miss endpoints on other nodes.

Example:
    -A KUBE-SERVICES ! -s 192.168.0.0/16 -d 10.96.0.10/32 -p udp -m comment
      --comment "kube-system/kube-dns:dns cluster IP" -m udp --dport 53 -j KUBE-MARK-MASQ
    -A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns cluster IP" -m udp
      --dport 53 -j KUBE-SVC-TCOU7JCQXEZGVUNU
    -A KUBE-SVC-TCOU7JCQXEZGVUNU -j KUBE-SEP-TCIZBYBD3WWXNWF5
    -A KUBE-SEP-TCIZBYBD3WWXNWF5 -p udp -m udp -j DNAT --to-destination 10.244.1.2:53

How to fix:
    Set kube-proxy's --cluster-cidr to the pod network (`kubectl get nodes -o jsonpath='{..podCIDRs}'`; Calico's IP
    pools), and restart it.

When to ignore:
    When these endpoints are all on host networks or outside the cluster.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.audit.authoring import NOWHERE, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.marks.cluster_ip_marks import cluster_ip_marks
from ipt_explain.audit.evidence.services.overlaps import _lies_in, pod_networks
from ipt_explain.audit.evidence.services.vital import is_api_server, is_dns
from ipt_explain.columns import column
from ipt_explain.model import Family
from ipt_explain.model.kernel import ADDRESS_BITS
from ipt_explain.netfilter.header import network_bits
from ipt_explain.services.ports import ServicePort
from ipt_explain.words import counted, listed

# Networks with fewer bits left for hosts may be those of one node.
_OF_ONE_NODE = {Family.IPV4: 12, Family.IPV6: 64}
_NAMED = 3


@rule("IPT416", "cluster-cidr-misses-pods", Severity.INFO, evidence=pod_networks)
def cluster_cidr_misses_pods(context: RulesetContext) -> Faults:
    """One fault for each network."""
    longest = ADDRESS_BITS[context.family] - _OF_ONE_NODE[context.family]
    for network, services in pod_networks(context).items():
        of_pods = [service for service in services if not is_api_server(service)]
        missed = _missed(network, of_pods, longest) if "/" in network else []
        if missed:
            yield _fault(context, network, missed)


def _missed(text: str, services: Sequence[ServicePort], longest: int) -> list[ServicePort]:
    """The service ports whose endpoints are all outside a network, if they show that it is not the pods'."""
    try:
        value, mask = network_bits(text)
    except ValueError:
        return []
    if mask.bit_count() >= longest:
        return []
    outside: list[ServicePort] = []
    inside = 0
    for service in services:
        addresses = column(service.endpoints, "address")
        if any(_lies_in(value, mask, address) for address in addresses if address):
            inside += 1
            if is_dns(service) or 2 * inside >= len(services):
                return []
        elif any(addresses):
            outside.append(service)
    if len(outside) <= inside or any(_lies_in(value, mask, each.cluster_ip or "") for each in services):
        return []
    enough = 1 if any(map(is_dns, outside)) else 2
    names = {(each.namespace, each.name) for each in outside}
    return outside if len(names) >= enough else []


def _fault(context: RulesetContext, network: str, missed: Sequence[ServicePort]) -> Fault:
    labels = {service.label for service in missed}
    marks = [
        marked.mark.rule
        for marked in cluster_ip_marks(context).services
        if marked.mark is not None and marked.service.label in labels and network in marked.mark.condition
    ]
    far = dict.fromkeys(f"{service.label} ({service.endpoints[0].address})" for service in missed)
    return Fault(
        f"{network} is not the pod network: the endpoints of {counted(len(missed), 'Service')} are outside it, such as "
        f"{listed(far, _NAMED)}; connections from pods to ClusterIPs are masqueraded as if from outside the cluster",
        "Set kube-proxy's --cluster-cidr to the pod network, and restart it.",
        at_rule(marks[0], focus=network) if marks else NOWHERE,
        services=tuple(service.label for service in missed),
    )
