"""4xx: marks and masquerading."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules.marks.ipt401_hairpin_missing import hairpin_missing
from ipt_explain.audit.rules.marks.ipt402_hairpin_wrong_address import hairpin_wrong_address
from ipt_explain.audit.rules.marks.ipt403_hairpin_after_dnat import hairpin_after_dnat
from ipt_explain.audit.rules.marks.ipt404_mark_chain_broken import mark_chain_broken
from ipt_explain.audit.rules.marks.ipt405_mark_mismatch import mark_mismatch
from ipt_explain.audit.rules.marks.ipt406_mark_two_bits import mark_two_bits
from ipt_explain.audit.rules.marks.ipt407_mark_collision import mark_collision
from ipt_explain.audit.rules.marks.ipt408_postrouting_malformed import postrouting_malformed
from ipt_explain.audit.rules.marks.ipt409_earlier_nat_in_postrouting import earlier_nat_in_postrouting
from ipt_explain.audit.rules.marks.ipt410_random_fully_missing import random_fully_missing
from ipt_explain.audit.rules.marks.ipt411_off_cluster_masquerade_missing import off_cluster_masquerade_missing
from ipt_explain.audit.rules.marks.ipt412_off_cluster_differs import off_cluster_differs
from ipt_explain.audit.rules.marks.ipt413_drop_mark_unenforced import drop_mark_unenforced
from ipt_explain.audit.rules.marks.ipt414_drop_mark_is_masquerade_mark import drop_mark_is_masquerade_mark
from ipt_explain.audit.rules.marks.ipt415_external_not_masqueraded import external_not_masqueraded

RULES: tuple[AuditRule, ...] = (
    hairpin_missing,
    hairpin_wrong_address,
    hairpin_after_dnat,
    mark_chain_broken,
    mark_mismatch,
    mark_two_bits,
    mark_collision,
    postrouting_malformed,
    earlier_nat_in_postrouting,
    random_fully_missing,
    off_cluster_masquerade_missing,
    off_cluster_differs,
    drop_mark_unenforced,
    drop_mark_is_masquerade_mark,
    external_not_masqueraded,
)
