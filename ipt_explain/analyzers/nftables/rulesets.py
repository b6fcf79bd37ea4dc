"""A summary of kube-proxy's nftables tables: release and mark.

Facts: differences between releases 1.29 to 1.36 of pkg/proxy/nftables/proxier.go.
"""

from __future__ import annotations

from ipt_explain.analyzers.nftables.masquerading import masquerade_mark
from ipt_explain.analyzers.nftables.tables import (
    FIREWALL_IPS,
    HAIRPIN_CONNECTIONS,
    MARK_FOR_MASQUERADE,
    SERVICE_IPS,
    elements,
    leads_to,
    proxy_table,
)
from ipt_explain.model import Backend, Family, Form
from ipt_explain.model.nft import Match, Payload, Ruleset, Table
from ipt_explain.services.ports import ProxyMode, RulesetFacts, TableSize


def ruleset_facts(ruleset: Ruleset, family: Family) -> RulesetFacts:
    """The summary of one family's tables."""
    tables = {
        f"{table.family.value} {table.name}": TableSize(len(table.chains), table.rule_count)
        for table in ruleset.tables.values()
        if table.family.sees(family) and not table.xtables
    }
    table = proxy_table(ruleset, family)
    version, sign = (None, "") if table is None else _version(table)
    mode = None if table is None else ProxyMode.NFTABLES
    evidence = "" if table is None else f"table {table.family.value} {table.name}; {sign}".rstrip("; ")
    return RulesetFacts(
        source=ruleset.source,
        family=family,
        backend=Backend.NFTABLES,
        generator=ruleset.generator,
        form=Form.FRAGMENT if ruleset.fragment else Form.SAVE,
        tables=tables,
        mode=mode,
        version=version,
        evidence=evidence,
        masquerade_mark=None if table is None else masquerade_mark(table),
    )


def _version(table: Table) -> tuple[str | None, str]:
    """The releases that may have written a table, and the evidence."""
    if HAIRPIN_CONNECTIONS in table.sets:
        return "1.36 or later", "hairpin-connections"
    if "endpoints-check" in table.chains and SERVICE_IPS not in table.sets:
        return "1.29, an alpha that is not read", "endpoints-check"
    with_port = False
    for _, rule in table.each_rule():
        tested = [each.left for each in rule.of(Match)] if leads_to(rule, MARK_FOR_MASQUERADE) else []
        fields = [each.field for each in tested if isinstance(each, Payload)]
        if "daddr" in fields and "dport" not in fields:
            return "1.34 to 1.35", "marks of ClusterIPs without their port"
        with_port |= {"daddr", "dport"} <= set(fields)
    if "filter-prerouting-pre-dnat" in table.chains:
        if with_port:
            return "1.33", "filter-prerouting-pre-dnat, marks of ClusterIPs with their port"
        return "1.33 to 1.35", "filter-prerouting-pre-dnat"
    if "filter-output-post-dnat" in table.chains:
        if any(each.comment for each in elements(table, FIREWALL_IPS)):
            return "1.30", "comments in firewall-ips"
        return "1.30 to 1.32", "filter-output-post-dnat"
    return None, ""
