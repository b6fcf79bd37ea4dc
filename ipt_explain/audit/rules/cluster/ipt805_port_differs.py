"""A Service's addresses, ports or source ranges differ from the cluster's.

What it checks:
    ClusterIP, port, node port, external IPs, load balancer addresses (except those of ipMode Proxy), their source
    ranges and the health check node port match the Service object.

Why it matters:
    Clients use the addresses that the API shows, and these lead nowhere. Or source ranges were narrowed, but the rules
    still let others in.

Example:
    # Service demo/web has nodePort 30081 now:
    -A KUBE-NODEPORTS -p tcp -m comment --comment "demo/web" -m tcp --dport 30080 -j KUBE-EXT-YTGZ2JEENUBCE3T3

How to fix:
    Restart the kube-proxy pod of this node. Its log says why it did not sync.

When to ignore:
    When the Service was changed after the dump.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Severity, compare_rule

port_differs = compare_rule(__name__, "IPT805", "port-differs", Severity.ERROR)
