"""The order of netfilter's hooks and tables.

Facts: enum nf_ip_hook_priorities (raw -300, conntrack -200, mangle -150, destination NAT -100, filter 0, security 50,
source NAT 100).
"""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.enums import Enum
from ipt_explain.model.kernel import BUILT_IN_CHAINS


class Hook(Enum):
    """A place in the kernel's IP stack where packets pass tables. Its name is that of their built-in chains."""

    PREROUTING = "PREROUTING"
    INPUT = "INPUT"
    FORWARD = "FORWARD"
    OUTPUT = "OUTPUT"
    POSTROUTING = "POSTROUTING"


PRIORITIES: Mapping[str, int] = {"raw": -300, "mangle": -150, "filter": 0, "security": 50}
"""The priorities of iptables' tables in a hook; lower ones run first. For nat see NAT_PRIORITY."""

NFT_SECURITY_PRIORITY = 150
"""Of the table security in iptables-nft, where it comes after nat (iptables/nft.c)."""

CONNTRACK_PRIORITY = -200
"""The priority at which connection tracking sees packets."""

NAT_PRIORITY: Mapping[Hook, int] = {
    Hook.PREROUTING: -100,
    Hook.OUTPUT: -100,
    Hook.INPUT: 100,
    Hook.POSTROUTING: 100,
}
"""The priority of NAT in each hook (NF_IP_PRI_NAT_DST, NF_IP_PRI_NAT_SRC)."""

DESTINATION_NAT = frozenset({Hook.PREROUTING, Hook.OUTPUT})
"""Hooks in which nat rewrites the destination; in the others it rewrites the source."""


def is_built_in(table: str, chain: str) -> bool:
    """Whether the kernel itself sends packets to `chain` of `table`."""
    return chain in BUILT_IN_CHAINS.get(table, ())
