"""A Service's traffic policy differs from the cluster's.

What it checks:
    The rules follow the Service's internalTrafficPolicy and externalTrafficPolicy, if they show which policy they
    follow.

Why it matters:
    With Local instead of Cluster, connections are dropped on nodes without an endpoint. With Cluster instead of Local,
    endpoints see the node's address instead of the client's.

Example:
    # Service demo/web has externalTrafficPolicy Local:
    -A KUBE-EXT-YTGZ2JEENUBCE3T3 -j KUBE-SVC-YTGZ2JEENUBCE3T3

How to fix:
    Restart the kube-proxy pod of this node. Its log says why it did not sync.

When to ignore:
    When the Service was changed after the dump.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Severity, compare_rule

policy_differs = compare_rule(__name__, "IPT807", "policy-differs", Severity.WARNING)
