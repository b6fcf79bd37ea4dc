"""A Service's session affinity differs from the cluster's.

What it checks:
    If a Service has sessionAffinity ClientIP, each endpoint's rules keep a client for its timeoutSeconds; otherwise no
    rule does.

Why it matters:
    Clients lose their endpoint earlier than the Service promises, or stick to one when they should be spread.

Example:
    # Service demo/web has timeoutSeconds 600:
    -A KUBE-SVC-YTGZ2JEENUBCE3T3 -m comment --comment "demo/web -> 10.244.1.9:80" -m recent --rcheck --seconds 10800
      --reap --name KUBE-SEP-SYK7WUOODWKEDT7L --mask 255.255.255.255 --rsource -j KUBE-SEP-SYK7WUOODWKEDT7L

How to fix:
    Restart the kube-proxy pod of this node. Its log says why it did not sync.

When to ignore:
    When the Service was changed after the dump.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Severity, compare_rule

affinity_differs = compare_rule(__name__, "IPT806", "affinity-differs", Severity.WARNING)
