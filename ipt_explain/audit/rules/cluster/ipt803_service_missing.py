"""The cluster has a service port that the rules lack.

What it checks:
    Every port of every Service with a ClusterIP of this family has rules, if only to refuse it. Headless Services, type
    ExternalName and Services of another proxy (label `service.kubernetes.io/service-proxy-name`) have none.

Why it matters:
    Connections from this node's pods to the ClusterIP leave the node untranslated and are lost.

Example:
    # Service demo/web has ClusterIP 10.96.14.7 and port 80; no rule of the dump holds either:
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp --dport
      443 -j
      KUBE-SVC-NPX46M4PTMTKRN6Y

How to fix:
    Restart the kube-proxy pod of this node. Its log says why it did not sync.

When to ignore:
    When another program serves these Services (kube-proxy replacement), or the Service was created after the dump.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Severity, compare_rule

service_missing = compare_rule(__name__, "IPT803", "service-missing", Severity.ERROR)
