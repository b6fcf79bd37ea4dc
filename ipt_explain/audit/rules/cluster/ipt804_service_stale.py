"""The rules have a service port that the cluster no longer has.

What it checks:
    Every service port in the rules is one of the cluster's, by namespace, name, port name and protocol.

Why it matters:
    Its address may be given to another Service, whose connections then match the old Service's rules.

Example:
    # The cluster has no Service demo/old:
    -A KUBE-SERVICES -d 10.96.3.3/32 -p tcp -m comment --comment "demo/old cluster IP" -m tcp --dport 80 -j
      KUBE-SVC-56B674J34XGEP4FC

How to fix:
    Restart the kube-proxy pod of this node. Its log says why it did not sync.

When to ignore:
    When the objects are from some namespaces only, or the Service was deleted after the dump.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Severity, compare_rule

service_stale = compare_rule(__name__, "IPT804", "service-stale", Severity.ERROR)
