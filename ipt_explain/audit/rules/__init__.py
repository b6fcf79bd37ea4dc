"""The catalogue: one small module a rule, grouped by family. An ID is never changed and never used again."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules import affinity, balancing, cluster, firewall, hooks, marks, node, services, text

ALL_RULES: tuple[AuditRule, ...] = (
    *text.RULES,
    *hooks.RULES,
    *balancing.RULES,
    *affinity.RULES,
    *marks.RULES,
    *services.RULES,
    *firewall.RULES,
    *node.RULES,
    *cluster.RULES,
)

RULES_BY_ID = {rule.id: rule for rule in ALL_RULES}

RULE_NAMES = {name: rule.id for rule in ALL_RULES for name in (rule.id, rule.slug)}
"""What each rule may be called, and its ID."""
