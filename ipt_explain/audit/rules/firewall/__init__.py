"""6xx: the filter table: forwarding, firewalls, policies."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule

RULES: tuple[AuditRule, ...] = ()
