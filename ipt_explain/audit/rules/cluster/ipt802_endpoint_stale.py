"""Rules lead to an endpoint that the cluster no longer has.

What it checks:
    Every endpoint that the rules lead to is one that a correct kube-proxy of this release would use on this node.

Why it matters:
    The endpoint's share of connections goes to an address where no pod listens: they hang or are refused. If another
    pod now has the address, they reach the wrong one.

Example:
    # EndpointSlice demo/web-x7k2p no longer lists 10.244.3.7:
    -A KUBE-SEP-NKAKGIGDUG7EX5FZ -p tcp -m comment --comment "demo/web" -m tcp -j DNAT --to-destination 10.244.3.7:80

How to fix:
    Restart the kube-proxy pod of this node. Its log says why it did not sync.

When to ignore:
    When dump and objects were not taken at the same moment, and the endpoint was removed in between.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Severity, compare_rule

endpoint_stale = compare_rule(__name__, "IPT802", "endpoint-stale", Severity.ERROR)
