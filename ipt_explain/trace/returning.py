"""The record that an earlier visit to an endpoint left in a `recent` list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ipt_explain.errors import UsageError
from ipt_explain.model import Chain, Ruleset
from ipt_explain.netfilter.header import NatRange, parse_nat_destination
from ipt_explain.netfilter.matches.visits import list_name, records_visits
from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.whereabouts import Address

if TYPE_CHECKING:
    from ipt_explain.model import nft


def earlier_visit(
    rulesets: Iterable[Ruleset], endpoint: str, source: Address, nftables: nft.Ruleset | None
) -> frozenset[tuple[str, Address, int]]:
    """The `recent` lists, and sets of nftables, that hold a client that was sent to an endpoint (`IP:PORT`): those in
    which chains that DNAT to it record clients. Raises UsageError if there is no such chain."""
    wanted = _endpoint(endpoint)
    found = frozenset(
        (name, source, 1)
        for ruleset in rulesets
        for table in ruleset.tables.values()
        if table.name == "nat"
        for chain in table.chains.values()
        if _leads_to(chain, wanted)
        for name in [list_name(rule) for rule in chain.rules if records_visits(rule.shape)]
    )
    if nftables is not None and wanted.first is not None:
        from ipt_explain.netfilter.nft.memory import earlier_visits

        heading = Heading(wanted.first, wanted.first_port)
        found = found.union(*(earlier_visits(table, heading, source) for table in nftables.tables.values()))
    if not found:
        raise UsageError(
            f"no chain that sends packets to {endpoint} records its clients in a list (-m recent --set) or a set, "
            "so none can return to it"
        )
    return found


def _endpoint(text: str) -> NatRange:
    try:
        return parse_nat_destination(text)
    except ValueError:
        raise UsageError(f"{text} is not an endpoint: use IP:PORT, or [IP]:PORT for IPv6") from None


def _leads_to(chain: Chain, wanted: NatRange) -> bool:
    for rule in chain.rules:
        if rule.target == "DNAT":
            try:
                if parse_nat_destination(rule.target_value("--to-destination") or "") == wanted:
                    return True
            except ValueError:
                continue
    return False
