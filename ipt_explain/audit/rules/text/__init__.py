"""0xx: the text and its tables; every iptables user is served, Kubernetes or not."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules.text.ipt001_undefined_chain import undefined_chain

RULES: tuple[AuditRule, ...] = (undefined_chain,)
