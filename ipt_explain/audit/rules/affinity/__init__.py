"""3xx: session affinity."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule

RULES: tuple[AuditRule, ...] = ()
