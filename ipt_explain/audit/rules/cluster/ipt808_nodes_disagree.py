"""Nodes treat a Service differently, though none contradicts the objects.

What it checks:
    In dumps of several nodes, all nodes have the same shares, masquerading and hooks where they should. Differences
    caused by policy Local, or reported by another 8xx rule, are left out.

Why it matters:
    What happens to a connection depends on the node it goes through.

Example:
    # node-1 and node-2 balance demo/web evenly; node-3 has:
    -A KUBE-SVC-YTGZ2JEENUBCE3T3 -m statistic --mode random --probability 0.90000000000 -j KUBE-SEP-SYK7WUOODWKEDT7L

How to fix:
    Check the nodes in the minority: run `ipt-explain audit` and read kube-proxy's log there.

When to ignore:
    When the nodes run different releases of kube-proxy, as during an upgrade.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Severity, compare_rule

nodes_disagree = compare_rule(__name__, "IPT808", "nodes-disagree", Severity.WARNING)
