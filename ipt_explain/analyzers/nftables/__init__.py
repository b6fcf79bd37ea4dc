"""kube-proxy's nftables mode: its tables, and what they say about Services."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.analyzers.names import Wanted
from ipt_explain.analyzers.nftables.rulesets import ruleset_facts
from ipt_explain.analyzers.nftables.services import ServiceReader
from ipt_explain.analyzers.nftables.tables import proxy_table
from ipt_explain.model import Family, nft
from ipt_explain.services.ports import RulesetFacts, ServicePort


def read_nftables(ruleset: nft.Ruleset, wanted: Wanted | None) -> Iterator[tuple[RulesetFacts, list[ServicePort]]]:
    """For each family with tables: their summary, and the service ports of kube-proxy's table.

    With `wanted`, only service ports whose name and addresses it accepts.
    """
    for family in Family:
        facts = ruleset_facts(ruleset, family)
        table = proxy_table(ruleset, family)
        if facts.tables:
            yield facts, [] if table is None else ServiceReader(ruleset, table, family).read(wanted)
