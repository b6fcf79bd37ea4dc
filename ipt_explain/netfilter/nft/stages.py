"""When base chains run, by hook and priority.

Facts: nf_nat_register_fn of net/netfilter/nf_nat_core.c runs all chains of type nat, including those of iptables, at
the kernel's NAT priority of the hook, in the order of their own priorities, until one decides. All other chains run at
their own priority (nft_register_chain_ops). Of equal priorities, the last registered runs first (nf_hook_entries_grow
of net/netfilter/core.c). nft lists tables in the order of creation, but no listing shows when a chain was created, or
whether it runs before those of iptables.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from ipt_explain.model import Family, nft
from ipt_explain.netfilter.hooks import NAT_PRIORITY, Hook
from ipt_explain.records import Record

_HOOKS = {hook.value.lower(): hook for hook in Hook}


class Stage(Record, eq=False):
    """A base chain at its place in a hook.

    The kernel runs it at `priority`; `own_priority` is the declared one. They differ for NAT, whose chains are ordered
    among each other by their own priorities.
    """

    hook: Hook
    priority: int
    own_priority: int
    table: nft.Table
    chain: nft.Chain
    base: nft.BaseChain

    @property
    def is_nat(self) -> bool:
        """Whether it only sees packets whose address NAT has yet to decide in this hook."""
        return self.base.type == "nat"

    @property
    def drops(self) -> bool:
        """Whether packets that reach the end of the chain are dropped."""
        return self.base.policy == "drop"


def stages(
    ruleset: nft.Ruleset, family: Family, saved: Container[str] = frozenset()
) -> dict[Hook, tuple[Stage, ...]]:
    """The base chains that a family's packets pass, by hook, in the order run. Of equal priorities the last listed
    comes first, as if chains had been created in the order listed.

    Tables made by iptables-nft are left out if they are among those `saved`: iptables-save shows them completely.
    Chains of netdev, bridge and arp are left out too: routed packets do not pass them, or do before any of our hooks.
    """
    found: dict[Hook, list[Stage]] = {hook: [] for hook in Hook}
    for table in _tables(ruleset, family, saved):
        for chain in table.chains.values():
            base = chain.base
            hook = None if base is None else _HOOKS.get(base.hook)
            if base is None or hook is None:
                continue
            priority = NAT_PRIORITY.get(hook, base.priority) if base.type == "nat" else base.priority
            found[hook].append(Stage(hook, priority, base.priority, table, chain, base))
    for listed in found.values():
        listed.reverse()
        listed.sort(key=lambda stage: (stage.priority, stage.own_priority))
    return {hook: tuple(listed) for hook, listed in found.items()}


def _tables(ruleset: nft.Ruleset, family: Family, saved: Container[str]) -> Iterator[nft.Table]:
    for table in ruleset.tables.values():
        if table.family.sees(family) and not table.dormant and not (table.xtables and table.name in saved):
            yield table
