"""7xx: the node as a whole."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules.node.ipt701_two_backends import two_backends
from ipt_explain.audit.rules.node.ipt702_two_proxy_modes import two_proxy_modes
from ipt_explain.audit.rules.node.ipt703_no_proxy import no_proxy
from ipt_explain.audit.rules.node.ipt704_pod_namespace import pod_namespace
from ipt_explain.audit.rules.node.ipt705_buggy_iptables import buggy_iptables
from ipt_explain.audit.rules.node.ipt706_stale_host_port import stale_host_port
from ipt_explain.audit.rules.node.ipt707_restored_by_mismatched_iptables import restored_by_mismatched_iptables
from ipt_explain.audit.rules.node.ipt708_family_parity import family_parity
from ipt_explain.audit.rules.node.ipt709_large_ruleset import large_ruleset

RULES: tuple[AuditRule, ...] = (
    two_backends,
    two_proxy_modes,
    no_proxy,
    pod_namespace,
    buggy_iptables,
    stale_host_port,
    restored_by_mismatched_iptables,
    family_parity,
    large_ruleset,
)
