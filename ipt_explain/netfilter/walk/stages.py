"""Who is asked in each hook, in which order: tables of iptables, base chains of nftables, IPVS.

Of equal priorities the kernel asks first whoever was registered last, which no listing tells. Here iptables comes
first; `undecided` names the chains for which that could matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Union

from ipt_explain.model import Backend, Family, Ruleset
from ipt_explain.model.node.facts import VirtualServers
from ipt_explain.netfilter.hooks import NAT_PRIORITY, PRIORITIES, TABLES, Hook
from ipt_explain.records import dataclass

if TYPE_CHECKING:
    from ipt_explain.model import nft
    from ipt_explain.netfilter.nft import Stage as ChainStage


@dataclass(frozen=True, slots=True, eq=False)
class TableStage:
    """One table of one iptables ruleset."""

    priority: int
    ruleset: Ruleset
    table: str


@dataclass(frozen=True, slots=True, eq=False)
class ServersStage:
    """IPVS."""

    priority: int
    servers: VirtualServers


AnyStage = Union[TableStage, ServersStage, "ChainStage"]


class Stages:
    """The stages of each hook for packets of one family."""

    def __init__(
        self,
        rulesets: Sequence[Ruleset],
        family: Family | None = None,
        nftables: nft.Ruleset | None = None,
        servers: VirtualServers | None = None,
    ) -> None:
        self._chains: Mapping[Hook, Sequence[ChainStage]] = {}
        if nftables is not None and family is not None:
            from ipt_explain.netfilter.nft import stages

            shown = any(ruleset.backend is not Backend.LEGACY for ruleset in rulesets)
            self._chains = stages(nftables, family, xtables=not shown)
        self.of: dict[Hook, tuple[AnyStage, ...]] = {}
        for hook in Hook:
            tables = [
                TableStage(NAT_PRIORITY.get(hook, 0) if table == "nat" else PRIORITIES[table], ruleset, table)
                for table in TABLES[hook]
                for ruleset in rulesets
            ]
            asked: list[AnyStage] = [*tables, *self._chains.get(hook, ()), *_servers(hook, servers)]
            self.of[hook] = tuple(sorted(asked, key=lambda stage: stage.priority))

    def undecided(self) -> Iterator[str]:
        """Chains of NAT in both, of which the kernel lets the first that decides have its way."""
        for hook, stages in self.of.items():
            tables = [stage for stage in stages if isinstance(stage, TableStage) and _decides(stage, hook)]
            chains = [stage for stage in self._chains.get(hook, ()) if stage.is_nat and stage.chain.rules]
            if tables and chains:
                first = chains[0]
                yield (
                    f"nat {hook.value} of iptables is asked before {first.chain.name} of table "
                    f"{first.table.family.value} {first.table.name}; the kernel asks whichever was loaded last first"
                )


def _decides(stage: TableStage, hook: Hook) -> bool:
    chain = stage.ruleset.chain(stage.table, hook.value) if stage.table == "nat" else None
    return chain is not None and bool(chain.layout.shapes)


def _servers(hook: Hook, servers: VirtualServers | None) -> tuple[ServersStage, ...]:
    if servers is None:
        return ()
    from ipt_explain.netfilter.ipvs.taking import LOCAL_IN_PRIORITY, LOCAL_OUT_PRIORITY

    priority = {Hook.INPUT: LOCAL_IN_PRIORITY, Hook.OUTPUT: LOCAL_OUT_PRIORITY}.get(hook)
    return () if priority is None else (ServersStage(priority, servers),)
