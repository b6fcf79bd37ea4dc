"""Where packets enter a table: its built-in chains, in the order that a packet can meet them."""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.netfilter.hooks import TABLES, Hook

BUILT_IN_CHAINS: Mapping[str, tuple[str, ...]] = {
    table: tuple(hook.value for hook in Hook if table in TABLES[hook])
    for table in ("raw", "mangle", "nat", "filter", "security")
}


def is_built_in(table: str, chain: str) -> bool:
    """Whether the kernel itself sends packets to `chain` of `table`."""
    return chain in BUILT_IN_CHAINS.get(table, ())
