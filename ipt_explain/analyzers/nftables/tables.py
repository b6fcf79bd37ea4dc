"""The names of kube-proxy's nftables tables, and of the chains, sets and maps in them.

Facts: pkg/proxy/nftables/proxier.go of kube-proxy 1.30 to 1.36.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.columns import column
from ipt_explain.model import Family, nft
from ipt_explain.netfilter.header import parse_address

TABLE = "kube-proxy"
CLUSTER_IPS = "cluster-ips"
NODE_PORT_IPS = "nodeport-ips"
SERVICE_IPS = "service-ips"
SERVICE_NODE_PORTS = "service-nodeports"
NO_ENDPOINT_SERVICES = "no-endpoint-services"
NO_ENDPOINT_NODE_PORTS = "no-endpoint-nodeports"
FIREWALL_IPS = "firewall-ips"
HAIRPIN_CONNECTIONS = "hairpin-connections"  # 1.36 and later
SERVICES = "services"
MASQUERADING = "masquerading"
MARK_FOR_MASQUERADE = "mark-for-masquerade"  # up to 1.35

SERVICE_CHECK = "service-endpoints-check"
NODE_PORT_CHECK = "nodeport-endpoints-check"
FIREWALL_CHECK = "firewall-check"
CLUSTER_IPS_CHECK = "cluster-ips-check"
REJECT_CHAIN = "reject-chain"

SOURCE_ADDRESSES = (nft.Payload("ip", "saddr"), nft.Payload("ip6", "saddr"))

_TABLE_FAMILIES = {Family.IPV4: nft.TableFamily.IP, Family.IPV6: nft.TableFamily.IP6}


def node_port_addresses(ruleset: nft.Ruleset | None, family: Family) -> tuple[int, ...]:
    """The node's addresses that accept node ports; empty if all do, or if unknown."""
    table = None if ruleset is None else proxy_table(ruleset, family)
    held = () if table is None else elements(table, NODE_PORT_IPS)
    return tuple(parse_address(key) for key in column(held, "key") if isinstance(key, str))


def proxy_table(ruleset: nft.Ruleset, family: Family) -> nft.Table | None:
    """kube-proxy's table of a family, if there is one."""
    return ruleset.tables.get((_TABLE_FAMILIES[family], TABLE))


def elements(table: nft.Table, name: str) -> Sequence[nft.Element]:
    """The elements of a set or map by name; () if the table lacks it."""
    found = table.sets.get(name)
    return () if found is None else found.elements


def leads_to(rule: nft.Rule, chain: str) -> bool:
    """Whether a rule jumps or goes to a chain by name."""
    return any(each.chain == chain for each in rule.of(nft.Verdict))
