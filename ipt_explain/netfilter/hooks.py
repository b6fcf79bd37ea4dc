"""The order in which netfilter asks hooks and tables.

Facts: enum nf_ip_hook_priorities (raw -300, conntrack -200, mangle -150, nat's destination -100, filter 0, security 50,
nat's source 100) and the hooks that net/ipv4/netfilter/iptable_*.c registers; nat has INPUT since Linux 2.6.36.
"""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.enums import Enum


class Hook(Enum):
    """A place in the kernel's IP stack where tables are asked; its name is that of their built-in chains."""

    PREROUTING = "PREROUTING"
    INPUT = "INPUT"
    FORWARD = "FORWARD"
    OUTPUT = "OUTPUT"
    POSTROUTING = "POSTROUTING"

    __hash__ = object.__hash__  # members are singletons; Enum's own hash is slow, and states are hashed all the time


TABLES: Mapping[Hook, tuple[str, ...]] = {
    Hook.PREROUTING: ("raw", "mangle", "nat"),
    Hook.INPUT: ("mangle", "filter", "security", "nat"),
    Hook.FORWARD: ("mangle", "filter", "security"),
    Hook.OUTPUT: ("raw", "mangle", "nat", "filter", "security"),
    Hook.POSTROUTING: ("mangle", "nat"),
}
"""The tables of each hook, in the order asked. Connection tracking comes between raw and mangle."""

PRIORITIES: Mapping[str, int] = {"raw": -300, "mangle": -150, "filter": 0, "security": 50}
"""When a hook asks iptables' tables; the lower, the earlier. For nat see NAT_PRIORITY."""

CONNTRACK_PRIORITY = -200
"""When connection tracking sees packets."""

NAT_PRIORITY: Mapping[Hook, int] = {
    Hook.PREROUTING: -100,
    Hook.OUTPUT: -100,
    Hook.INPUT: 100,
    Hook.POSTROUTING: 100,
}
"""Where the kernel asks NAT in each hook (NF_IP_PRI_NAT_DST, NF_IP_PRI_NAT_SRC)."""

DESTINATION_NAT = frozenset({Hook.PREROUTING, Hook.OUTPUT})
"""Hooks where nat rewrites the destination; in the others it rewrites the source."""

BUILT_IN_CHAINS: Mapping[str, tuple[str, ...]] = {
    table: tuple(hook.value for hook in Hook if table in TABLES[hook])
    for table in ("raw", "mangle", "nat", "filter", "security")
}
"""Where packets enter a table: its built-in chains, in the order that a packet can meet them."""


def is_built_in(table: str, chain: str) -> bool:
    """Whether the kernel itself sends packets to `chain` of `table`."""
    return chain in BUILT_IN_CHAINS.get(table, ())
