"""5xx: services, their addresses and endpoints."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules.services.ipt501_duplicate_vip import duplicate_vip
from ipt_explain.audit.rules.services.ipt502_vip_not_host import vip_not_host
from ipt_explain.audit.rules.services.ipt503_port_without_protocol import port_without_protocol
from ipt_explain.audit.rules.services.ipt504_name_hash_mismatch import name_hash_mismatch
from ipt_explain.audit.rules.services.ipt507_endpoint_bad_address import endpoint_bad_address
from ipt_explain.audit.rules.services.ipt508_endpoint_wrong_protocol import endpoint_wrong_protocol
from ipt_explain.audit.rules.services.ipt510_endpoint_shared import endpoint_shared
from ipt_explain.audit.rules.services.ipt511_stale_chains import stale_chains
from ipt_explain.audit.rules.services.ipt512_duplicate_node_port import duplicate_node_port
from ipt_explain.audit.rules.services.ipt520_affinity_and_policy_chain_missing import affinity_and_policy_chain_missing

RULES: tuple[AuditRule, ...] = (
    duplicate_vip,
    vip_not_host,
    port_without_protocol,
    name_hash_mismatch,
    endpoint_bad_address,
    endpoint_wrong_protocol,
    endpoint_shared,
    stale_chains,
    duplicate_node_port,
    affinity_and_policy_chain_missing,
)
