"""The cluster has an endpoint that the rules lack.

What it checks:
    Every endpoint that a correct kube-proxy of this release would use on this node has its rules. These are the ready
    endpoints or, if a Service has none, those that still serve while they terminate; with internal or external policy
    Local, those on this node; with topology hints, those meant for its zone.

Why it matters:
    The pod gets no connection through this node, and the others get its share. If it is the only endpoint, connections
    to the Service are refused here.

Example:
    # EndpointSlice demo/web-x7k2p lists 10.244.1.9 and 10.244.3.7, both ready; the rules hold one of them:
    -A KUBE-SVC-YTGZ2JEENUBCE3T3 -m comment --comment "demo/web -> 10.244.1.9:80" -j KUBE-SEP-SYK7WUOODWKEDT7L

How to fix:
    Restart the kube-proxy pod of this node. Its log says why it did not sync: no connection to the API server, or an
    iptables-restore that fails (`Failed to execute iptables-restore`).

When to ignore:
    When dump and objects were not taken at the same moment, and the endpoint was added in between.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Severity, compare_rule

endpoint_missing = compare_rule(__name__, "IPT801", "endpoint-missing", Severity.ERROR)
