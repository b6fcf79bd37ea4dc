"""1xx: kube-proxy's hooks in the built-in chains, and the order of rules around them."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules.hooks.ipt101_services_not_hooked import services_not_hooked
from ipt_explain.audit.rules.hooks.ipt102_postrouting_not_hooked import postrouting_not_hooked
from ipt_explain.audit.rules.hooks.ipt103_hook_repeated import hook_repeated
from ipt_explain.audit.rules.hooks.ipt104_hook_narrowed import hook_narrowed
from ipt_explain.audit.rules.hooks.ipt105_hook_goto import hook_goto
from ipt_explain.audit.rules.hooks.ipt106_services_shadowed import services_shadowed
from ipt_explain.audit.rules.hooks.ipt107_reject_not_hooked import reject_not_hooked
from ipt_explain.audit.rules.hooks.ipt108_proxy_firewall_not_hooked import proxy_firewall_not_hooked
from ipt_explain.audit.rules.hooks.ipt109_kube_firewall_not_hooked import kube_firewall_not_hooked
from ipt_explain.audit.rules.hooks.ipt110_hook_without_ctnew import hook_without_ctnew
from ipt_explain.audit.rules.hooks.ipt111_nodeports_not_last import nodeports_not_last
from ipt_explain.audit.rules.hooks.ipt112_nodeports_unguarded import nodeports_unguarded
from ipt_explain.audit.rules.hooks.ipt113_nodeports_unreachable import nodeports_unreachable
from ipt_explain.audit.rules.hooks.ipt114_services_chain_ends_early import services_chain_ends_early
from ipt_explain.audit.rules.hooks.ipt115_foreign_rule_in_kube_chain import foreign_rule_in_kube_chain

RULES: tuple[AuditRule, ...] = (
    services_not_hooked,
    postrouting_not_hooked,
    hook_repeated,
    hook_narrowed,
    hook_goto,
    services_shadowed,
    reject_not_hooked,
    proxy_firewall_not_hooked,
    kube_firewall_not_hooked,
    hook_without_ctnew,
    nodeports_not_last,
    nodeports_unguarded,
    nodeports_unreachable,
    services_chain_ends_early,
    foreign_rule_in_kube_chain,
)
