"""2xx: how service chains spread connections over endpoints."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules.balancing.ipt209_observed_skew import observed_skew

RULES: tuple[AuditRule, ...] = (observed_skew,)
