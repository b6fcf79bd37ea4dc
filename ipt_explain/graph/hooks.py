"""Where packets enter a table: its built-in chains, in the order that a packet can meet them."""

from __future__ import annotations

from collections.abc import Mapping

# Sources: `valid_hooks` in net/ipv4/netfilter/iptable_*.c; nat has had INPUT since Linux 2.6.36.
BUILT_IN_CHAINS: Mapping[str, tuple[str, ...]] = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}


def is_built_in(table: str, chain: str) -> bool:
    """Whether the kernel itself sends packets to `chain` of `table`."""
    return chain in BUILT_IN_CHAINS.get(table, ())
