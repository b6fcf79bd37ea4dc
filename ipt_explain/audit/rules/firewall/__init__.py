"""6xx: the filter table: forwarding, firewalls, policies."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules.firewall.ipt601_forward_drops_pods import forward_drops_pods
from ipt_explain.audit.rules.firewall.ipt602_firewall_drops_everything import firewall_drops_everything
from ipt_explain.audit.rules.firewall.ipt603_kube_forward_incomplete import kube_forward_incomplete
from ipt_explain.audit.rules.firewall.ipt604_invalid_drop import invalid_drop
from ipt_explain.audit.rules.firewall.ipt605_martian_guard_missing import martian_guard_missing
from ipt_explain.audit.rules.firewall.ipt606_source_ranges_unenforced import source_ranges_unenforced
from ipt_explain.audit.rules.firewall.ipt607_source_ranges_any import source_ranges_any
from ipt_explain.audit.rules.firewall.ipt608_node_port_bypasses_ranges import node_port_bypasses_ranges
from ipt_explain.audit.rules.firewall.ipt609_no_local_endpoints import no_local_endpoints
from ipt_explain.audit.rules.firewall.ipt610_no_endpoints import no_endpoints
from ipt_explain.audit.rules.firewall.ipt611_local_blackhole_open import local_blackhole_open

RULES: tuple[AuditRule, ...] = (
    forward_drops_pods,
    firewall_drops_everything,
    kube_forward_incomplete,
    invalid_drop,
    martian_guard_missing,
    source_ranges_unenforced,
    source_ranges_any,
    node_port_bypasses_ranges,
    no_local_endpoints,
    no_endpoints,
    local_blackhole_open,
)
