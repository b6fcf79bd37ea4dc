"""Nodes treat a service differently, though none contradicts the objects.

What it checks:
    With dumps of several nodes, what each node should do alike is done alike: chances, masquerading, hooks.
    What policy Local makes different is left out, and so is what one of the other 8xx rules reports.

Why it matters:
    Which treatment a connection gets depends on the node that it meets.

Example:
    # node-1 and node-2 balance demo/web evenly; on node-3 stands:
    -A KUBE-SVC-YTGZ2JEENUBCE3T3 -m statistic --mode random --probability 0.90000000000 -j KUBE-SEP-SYK7WUOODWKEDT7L

How to fix:
    Look at the nodes that are fewer: `ipt-explain audit`, and kube-proxy's log there.

When to ignore:
    The nodes run different releases of kube-proxy, as during an upgrade.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Severity, compare_rule

nodes_disagree = compare_rule(__name__, "IPT808", "nodes-disagree", Severity.WARNING)
