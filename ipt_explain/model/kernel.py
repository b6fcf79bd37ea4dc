"""What the kernel fixes: address families, backends that hold rules, built-in chains, and the tables of targets."""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.enums import Enum


class Family(Enum):
    """IPv4 or IPv6: what a ruleset filters, what a set or a virtual server holds."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


ADDRESS_BITS = {Family.IPV4: 32, Family.IPV6: 128}


class Backend(Enum):
    """The part of the kernel that holds rules; a packet passes them all. LEGACY and NFT are the two of iptables."""

    LEGACY = "legacy"
    NFT = "nft"
    NFTABLES = "nftables"  # native nftables rules
    IPVS = "ipvs"

    @property
    def title(self) -> str:
        """What people call it."""
        return _TITLES[self]


_TITLES = {
    Backend.LEGACY: "iptables-legacy",
    Backend.NFT: "iptables-nft",
    Backend.NFTABLES: "nftables",
    Backend.IPVS: "IPVS",
}

HOOKS = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
"""The names of built-in chains, in the order that a packet can pass them."""
NO_CHAIN = "?"
"""The chain of a rule that was given without one."""

BUILT_IN_CHAINS: Mapping[str, tuple[str, ...]] = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": HOOKS,
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}
"""Each table's (net/ipv4/netfilter/iptable_*.c). nat got INPUT in Linux 2.6.36."""

TABLE_OF_TARGET: Mapping[str, str] = {
    "DNAT": "nat",
    "SNAT": "nat",
    "MASQUERADE": "nat",
    "REDIRECT": "nat",
    "NETMAP": "nat",
    "REJECT": "filter",
    "TPROXY": "mangle",
    "TTL": "mangle",
    "HL": "mangle",
    "DSCP": "mangle",
    "TOS": "mangle",
    "ECN": "mangle",
    "CHECKSUM": "mangle",
    "CT": "raw",
    "NOTRACK": "raw",
    "TRACE": "raw",
}
"""`.table` of the targets in net/netfilter/xt_*.c and net/ipv4/netfilter/ipt_*.c."""
