"""2xx: how service chains spread connections over endpoints."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule

RULES: tuple[AuditRule, ...] = ()
