"""1xx: kube-proxy's hooks in the built-in chains, and the order of rules around them."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule

RULES: tuple[AuditRule, ...] = ()
