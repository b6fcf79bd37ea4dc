"""0xx: the text and its tables; every iptables user is served, Kubernetes or not."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules.text.ipt001_undefined_chain import undefined_chain
from ipt_explain.audit.rules.text.ipt002_chain_loop import chain_loop
from ipt_explain.audit.rules.text.ipt003_unreachable_rule import unreachable_rule
from ipt_explain.audit.rules.text.ipt004_duplicate_rule import duplicate_rule
from ipt_explain.audit.rules.text.ipt005_unreachable_chain import unreachable_chain
from ipt_explain.audit.rules.text.ipt006_duplicate_section import duplicate_section
from ipt_explain.audit.rules.text.ipt007_truncated_dump import truncated_dump
from ipt_explain.audit.rules.text.ipt008_not_restorable import not_restorable
from ipt_explain.audit.rules.text.ipt009_invalid_in_table import invalid_in_table
from ipt_explain.audit.rules.text.ipt010_nat_policy import nat_policy
from ipt_explain.audit.rules.text.ipt011_always_or_never import always_or_never

RULES: tuple[AuditRule, ...] = (
    undefined_chain,
    chain_loop,
    unreachable_rule,
    duplicate_rule,
    unreachable_chain,
    duplicate_section,
    truncated_dump,
    not_restorable,
    invalid_in_table,
    nat_policy,
    always_or_never,
)
