"""Everything needed to write a rule, in one import; facts about a ruleset come from `audit.evidence`."""

from __future__ import annotations

from ipt_explain.audit.advice import (
    ONE_PROXY,
    RESTART,
    RESTART_CHAINS,
    RESTART_HOOKS,
    RESTART_RULES,
    RESTART_TABLES,
    restart,
)
from ipt_explain.audit.backends import BackendContext, IpvsContext, NftContext
from ipt_explain.audit.context import DumpContext, RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.audit.findings.fault import Fault, gathered
from ipt_explain.audit.findings.place import (
    NOWHERE,
    Location,
    at_chain,
    at_rule,
    at_rule_or_chain,
    at_table,
    chain_lines,
)
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.rule import Faults, compare_rule, dump_rule, ipvs_rule, nft_rule, rule, service_rule

__all__ = [
    "NOWHERE",
    "ONE_PROXY",
    "RESTART",
    "RESTART_CHAINS",
    "RESTART_HOOKS",
    "RESTART_RULES",
    "RESTART_TABLES",
    "BackendContext",
    "DumpContext",
    "Fault",
    "Faults",
    "IpvsContext",
    "Location",
    "NftContext",
    "RulesetContext",
    "Severity",
    "at_chain",
    "at_rule",
    "at_rule_or_chain",
    "at_table",
    "chain_lines",
    "compare_rule",
    "dump_rule",
    "fact",
    "gathered",
    "ipvs_rule",
    "nft_rule",
    "restart",
    "rule",
    "service_rule",
]
