"""What the kernel fixes about tables: the chains that it makes in each, and targets that it takes in one only."""

from __future__ import annotations

from collections.abc import Mapping

HOOKS = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
"""The names of built-in chains, in the order that a packet can pass them."""

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
