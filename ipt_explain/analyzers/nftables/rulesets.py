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
from ipt_explain.analyzers.versions import NEWEST, OLDEST, VersionRange
from ipt_explain.model import Backend, Family, Form, nft
from ipt_explain.services.ports import ProxyMode, RulesetFacts, TableSize


def ruleset_facts(ruleset: nft.Ruleset, family: Family) -> RulesetFacts:
    """The summary of one family's tables."""
    tables = {
        f"{table.family.value} {table.name}": TableSize(len(table.chains), table.rule_count)
        for table in ruleset.tables.values()
        if table.family.sees(family) and not table.xtables
    }
    table = proxy_table(ruleset, family)
    version = _ANY if table is None else _version(table)
    mode = None if table is None else ProxyMode.NFTABLES
    evidence = "" if table is None else "; ".join((f"table {table.family.value} {table.name}", *version.evidence))
    return RulesetFacts(
        source=ruleset.source,
        family=family,
        backend=Backend.NFTABLES,
        generator=ruleset.generator,
        form=Form.FRAGMENT if ruleset.fragment else Form.SAVE,
        tables=tables,
        mode=mode,
        version=_ALPHA if version.last == 29 else version.text,
        evidence=evidence,
        masquerade_mark=None if table is None else masquerade_mark(table),
        releases=(version.first, version.last),
    )


_ANY = VersionRange(OLDEST, NEWEST, ())
_ALPHA = "1.29, an alpha that is not read"


def _version(table: nft.Table) -> VersionRange:
    """The releases that may have written a table."""
    if HAIRPIN_CONNECTIONS in table.sets:
        return VersionRange(36, NEWEST, ("hairpin-connections",))
    if "endpoints-check" in table.chains and SERVICE_IPS not in table.sets:
        return VersionRange(29, 29, ("endpoints-check",))
    with_port = False
    for _, rule in table.each_rule():
        tested = [each.left for each in rule.of(nft.Match)] if leads_to(rule, MARK_FOR_MASQUERADE) else []
        fields = [each.field for each in tested if isinstance(each, nft.Payload)]
        if "daddr" in fields and "dport" not in fields:
            return VersionRange(34, 35, ("marks of ClusterIPs without their port",))
        with_port |= {"daddr", "dport"} <= set(fields)
    if "filter-prerouting-pre-dnat" in table.chains:
        if with_port:
            return VersionRange(33, 33, ("filter-prerouting-pre-dnat, marks of ClusterIPs with their port",))
        return VersionRange(33, 35, ("filter-prerouting-pre-dnat",))
    if "filter-output-post-dnat" in table.chains:
        if any(each.comment for each in elements(table, FIREWALL_IPS)):
            return VersionRange(30, 30, ("comments in firewall-ips",))
        return VersionRange(30, 32, ("filter-output-post-dnat",))
    return _ANY
