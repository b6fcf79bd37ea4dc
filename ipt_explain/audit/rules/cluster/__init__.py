"""8xx: rules against the cluster's API objects; `compare --objects` makes their findings."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule

RULES: tuple[AuditRule, ...] = ()
