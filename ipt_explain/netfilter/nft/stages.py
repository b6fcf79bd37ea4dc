"""When base chains run: by hook and priority.

Facts: nf_nat_register_fn of net/netfilter/nf_nat_core.c hangs every chain of type nat, iptables' included, at the
kernel's own place for NAT in its hook, ordered among each other by their own priorities; one that decides ends the
round. All other chains are asked at their own priority (nft_register_chain_ops). Of equal priorities the one that was
registered last is asked first (nf_hook_entries_grow of net/netfilter/core.c): nft lists tables in the order made, but
no listing tells when a chain was made, nor whether it comes before those of iptables.
"""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.model import Family
from ipt_explain.model.nft import BaseChain, Chain, Ruleset, Table, TableFamily
from ipt_explain.netfilter.hooks import NAT_PRIORITY, Hook
from ipt_explain.records import dataclass

_HOOKS = {hook.value.lower(): hook for hook in Hook}

_FAMILIES = {
    Family.IPV4: frozenset({TableFamily.IP, TableFamily.INET}),
    Family.IPV6: frozenset({TableFamily.IP6, TableFamily.INET}),
}


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A base chain at its place in a hook.

    `priority` is where the kernel asks it, `own_priority` what the chain was given; they differ for NAT, where the
    second only orders chains of NAT among each other.
    """

    hook: Hook
    priority: int
    own_priority: int
    table: Table
    chain: Chain
    base: BaseChain

    @property
    def is_nat(self) -> bool:
        """Whether only packets are asked about whose address in this hook is still to be decided."""
        return self.base.type == "nat"

    @property
    def drops(self) -> bool:
        """Whether packets that reach the end of the chain are dropped."""
        return self.base.policy == "drop"


def stages(ruleset: Ruleset, family: Family, xtables: bool = True) -> dict[Hook, tuple[Stage, ...]]:
    """The base chains that a family's packets meet, by hook, in the order asked: of equal priorities, the last listed
    first, as if chains had been made in the order listed.

    Without `xtables`, tables that iptables-nft made are left out: iptables-save shows them whole. Chains of netdev,
    bridge and arp are not on the way of routed packets, or ahead of all hooks.
    """
    found: dict[Hook, list[Stage]] = {hook: [] for hook in Hook}
    for table in _tables(ruleset, family, xtables):
        for chain in table.chains.values():
            base = chain.base
            hook = None if base is None else _HOOKS.get(base.hook)
            if base is None or hook is None:
                continue
            priority = NAT_PRIORITY.get(hook, base.priority) if base.type == "nat" else base.priority
            found[hook].append(Stage(hook, priority, base.priority, table, chain, base))
    return {hook: _ordered(each) for hook, each in found.items()}


def _ordered(listed: list[Stage]) -> tuple[Stage, ...]:
    listed.reverse()
    return tuple(sorted(listed, key=lambda stage: (stage.priority, stage.own_priority)))


def _tables(ruleset: Ruleset, family: Family, xtables: bool) -> Iterator[Table]:
    for table in ruleset.tables.values():
        if table.family in _FAMILIES[family] and not table.dormant and (xtables or not table.xtables):
            yield table
