"""5xx: services, their addresses and endpoints."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules.services.ipt501_duplicate_vip import duplicate_vip
from ipt_explain.audit.rules.services.ipt502_vip_not_host import vip_not_host
from ipt_explain.audit.rules.services.ipt503_port_without_protocol import port_without_protocol
from ipt_explain.audit.rules.services.ipt504_name_hash_mismatch import name_hash_mismatch
from ipt_explain.audit.rules.services.ipt505_mixed_writers import mixed_writers
from ipt_explain.audit.rules.services.ipt506_reject_and_balance import reject_and_balance
from ipt_explain.audit.rules.services.ipt507_endpoint_bad_address import endpoint_bad_address
from ipt_explain.audit.rules.services.ipt508_endpoint_wrong_protocol import endpoint_wrong_protocol
from ipt_explain.audit.rules.services.ipt509_endpoint_foreign_flags import endpoint_foreign_flags
from ipt_explain.audit.rules.services.ipt510_endpoint_shared import endpoint_shared
from ipt_explain.audit.rules.services.ipt511_stale_chains import stale_chains
from ipt_explain.audit.rules.services.ipt512_duplicate_node_port import duplicate_node_port
from ipt_explain.audit.rules.services.ipt513_node_port_clash import node_port_clash
from ipt_explain.audit.rules.services.ipt514_vip_is_endpoint import vip_is_endpoint
from ipt_explain.audit.rules.services.ipt515_vip_overlaps_pods import vip_overlaps_pods
from ipt_explain.audit.rules.services.ipt516_no_kubernetes_service import no_kubernetes_service
from ipt_explain.audit.rules.services.ipt517_dns_one_protocol import dns_one_protocol
from ipt_explain.audit.rules.services.ipt518_endpoint_in_two_services import endpoint_in_two_services
from ipt_explain.audit.rules.services.ipt519_external_ip_hijack import external_ip_hijack
from ipt_explain.audit.rules.services.ipt520_affinity_and_policy_chain_missing import affinity_and_policy_chain_missing

RULES: tuple[AuditRule, ...] = (
    duplicate_vip,
    vip_not_host,
    port_without_protocol,
    name_hash_mismatch,
    mixed_writers,
    reject_and_balance,
    endpoint_bad_address,
    endpoint_wrong_protocol,
    endpoint_foreign_flags,
    endpoint_shared,
    stale_chains,
    duplicate_node_port,
    node_port_clash,
    vip_is_endpoint,
    vip_overlaps_pods,
    no_kubernetes_service,
    dns_one_protocol,
    endpoint_in_two_services,
    external_ip_hijack,
    affinity_and_policy_chain_missing,
)
