"""3xx: session affinity."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules.affinity.ipt301_affinity_never_set import affinity_never_set
from ipt_explain.audit.rules.affinity.ipt302_affinity_set_unused import affinity_set_unused
from ipt_explain.audit.rules.affinity.ipt303_affinity_cross_talk import affinity_cross_talk
from ipt_explain.audit.rules.affinity.ipt304_affinity_after_balancing import affinity_after_balancing
from ipt_explain.audit.rules.affinity.ipt305_affinity_incomplete import affinity_incomplete
from ipt_explain.audit.rules.affinity.ipt306_affinity_timeouts_differ import affinity_timeouts_differ
from ipt_explain.audit.rules.affinity.ipt307_affinity_timeout_odd import affinity_timeout_odd
from ipt_explain.audit.rules.affinity.ipt308_affinity_options import affinity_options
from ipt_explain.audit.rules.affinity.ipt309_affinity_list_limit import affinity_list_limit

RULES: tuple[AuditRule, ...] = (
    affinity_never_set,
    affinity_set_unused,
    affinity_cross_talk,
    affinity_after_balancing,
    affinity_incomplete,
    affinity_timeouts_differ,
    affinity_timeout_odd,
    affinity_options,
    affinity_list_limit,
)
