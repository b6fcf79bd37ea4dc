"""The dump was taken inside a pod, not on the node.

What it checks:
    A dump with Istio's sidecar chains (ISTIO_INBOUND) also has Kubernetes chains. Sidecar rules live in a pod's network
    namespace, where kube-proxy has no rules.

Why it matters:
    Anything this audit says about Services is about the pod, not the node. The node rewrites Service addresses after
    the packet has left the pod.

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
    Dump on the node:
    `kubectl debug node/NAME -i --quiet --profile=sysadmin --image=busybox -- chroot /host iptables-save`.

When to ignore:
    When you want to check the pod's rules.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_chain, rule

SIDECAR = "ISTIO_INBOUND"


@rule("IPT704", "pod-namespace", Severity.INFO, about=("ISTIO_INBOUND",), reads_absence=True)
def pod_namespace(context: RulesetContext) -> Faults:
    """One fault for a ruleset with a sidecar's chains but no Kubernetes chains."""
    chain = context.chain("nat", SIDECAR)
    tables = context.ruleset.tables.values()
    if chain is not None and not any(name.startswith("KUBE-") for table in tables for name in table.chains):
        yield Fault(
            "these rules are from a pod with an Istio sidecar, not from a node: kube-proxy has no rules here",
            "Take the dump on the node itself to see its Services.",
            at_chain(chain),
        )
