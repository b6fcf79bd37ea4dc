"""The dump was taken inside a pod, not on the node.

What it checks:
    A dump with Istio's sidecar chains (ISTIO_INBOUND) has chains of Kubernetes, too. Sidecar rules live in the network
    namespace of a pod, where no rule of kube-proxy is.

Why it matters:
    Anything reported about services, or their absence, is about the pod, not the node: service addresses are rewritten
    on the node, after the packet has left the pod.

Example:
    *nat
    :PREROUTING ACCEPT [0:0]
    :ISTIO_INBOUND - [0:0]
    :ISTIO_IN_REDIRECT - [0:0]
    -A PREROUTING -p tcp -j ISTIO_INBOUND
    -A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT
    -A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006
    COMMIT

How to fix:
    Dump on the node: `kubectl debug node/NAME -it --image=IMAGE -- chroot /host iptables-save`.

When to ignore:
    When you want to look at the pod's rules.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_chain, rule

SIDECAR = "ISTIO_INBOUND"


@rule("IPT704", "pod-namespace", Severity.INFO, reads_absence=True)
def pod_namespace(context: RulesetContext) -> Faults:
    """One fault for a ruleset with a sidecar's chains and none of Kubernetes'."""
    chain = context.chain("nat", SIDECAR)
    tables = context.ruleset.tables.values()
    if chain is not None and not any(name.startswith("KUBE-") for table in tables for name in table.chains):
        yield Fault(
            "these are the rules of a pod with an Istio sidecar, not of a node: no rule of kube-proxy is here",
            "To look at services, take the dump on the node itself.",
            at_chain(chain),
        )
