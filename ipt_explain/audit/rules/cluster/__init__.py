"""8xx: rules against the cluster's API objects; `compare --objects` makes their findings."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules.cluster.ipt801_endpoint_missing import endpoint_missing
from ipt_explain.audit.rules.cluster.ipt802_endpoint_stale import endpoint_stale
from ipt_explain.audit.rules.cluster.ipt803_service_missing import service_missing
from ipt_explain.audit.rules.cluster.ipt804_service_stale import service_stale
from ipt_explain.audit.rules.cluster.ipt805_port_differs import port_differs
from ipt_explain.audit.rules.cluster.ipt806_affinity_differs import affinity_differs
from ipt_explain.audit.rules.cluster.ipt807_policy_differs import policy_differs
from ipt_explain.audit.rules.cluster.ipt808_nodes_disagree import nodes_disagree

RULES: tuple[AuditRule, ...] = (
    endpoint_missing,
    endpoint_stale,
    service_missing,
    service_stale,
    port_differs,
    affinity_differs,
    policy_differs,
    nodes_disagree,
)
