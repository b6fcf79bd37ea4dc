"""Nodes treat a service differently, though none contradicts the objects.

What it checks:
    In dumps of several nodes, all nodes do the same where they should: chances, masquerading, hooks. Differences caused
    by policy Local are left out, and so are those that another 8xx rule reports.

Why it matters:
    How a connection is treated depends on the node it goes through.

Example:
    # node-1 and node-2 balance demo/web evenly; node-3 has:
    -A KUBE-SVC-YTGZ2JEENUBCE3T3 -m statistic --mode random --probability 0.90000000000 -j KUBE-SEP-SYK7WUOODWKEDT7L

How to fix:
    Look at the nodes in the minority: `ipt-explain audit`, and kube-proxy's log there.

When to ignore:
    The nodes run different releases of kube-proxy, as during an upgrade.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Severity, compare_rule

nodes_disagree = compare_rule(__name__, "IPT808", "nodes-disagree", Severity.WARNING)
