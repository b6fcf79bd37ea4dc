"""The stages of each hook, in order: tables of iptables, base chains of nftables, IPVS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Union

from ipt_explain.model import Backend, Family, Ruleset
from ipt_explain.model.kernel import BUILT_IN_CHAINS
from ipt_explain.model.node import VirtualServers
from ipt_explain.netfilter.hooks import DESTINATION_NAT, NAT_PRIORITY, NFT_SECURITY_PRIORITY, PRIORITIES, Hook
from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.walk.chains.chain_index import ChainIndexes
from ipt_explain.netfilter.walk.chains.evaluator import Evaluator
from ipt_explain.records import Record

if TYPE_CHECKING:
    from ipt_explain.model import nft
    from ipt_explain.netfilter.nft import ColumnEvaluator
    from ipt_explain.netfilter.nft import Stage as ChainStage
    from ipt_explain.netfilter.walk.orders import Order


class TableStage(Record, eq=False):
    """One table of one iptables ruleset."""

    priority: int
    ruleset: Ruleset
    table: str


class ServersStage(Record, eq=False):
    """IPVS."""

    priority: int
    servers: VirtualServers


AnyStage = Union[TableStage, ServersStage, "ChainStage"]


class Rank(Record, eq=False):
    """The stages that a hook asks at one place and, if there are several, the possible orders."""

    stages: tuple[AnyStage, ...]
    orders: tuple[Order[AnyStage], ...] = ()


class Stages:
    """The stages of each hook for packets of one family. In the hooks of `hiding_nat`, nftables chains that a fragment
    does not show may translate destinations."""

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

            # Tables without chains are those that iptables-save could not print.
            saved = {
                name
                for each in rulesets
                if each.backend is not Backend.LEGACY
                for name, table in each.tables.items()
                if table.chains
            }
            self._chains = stages(nftables, family, saved)
        self.hiding_nat = _hooks_hiding_nat(nftables, self._chains)
        self.of: dict[Hook, tuple[Rank, ...]] = {}
        for hook in Hook:
            tables = [
                TableStage(_priority(table, hook, ruleset), ruleset, table)
                for table, chains in BUILT_IN_CHAINS.items()
                if hook.value in chains
                for ruleset in rulesets
            ]
            asked: list[AnyStage] = [*tables, *self._chains.get(hook, ()), *_servers(hook, servers)]
            ranks = groupby(sorted(asked, key=_rank), key=_rank)
            self.of[hook] = tuple(_ranked(tuple(stages), hook) for _, stages in ranks)

    def base_chains(self, hook: Hook) -> Sequence[ChainStage]:
        """The base chains of nftables in a hook, in the order asked."""
        return self._chains.get(hook, ())


def _hooks_hiding_nat(
    nftables: nft.Ruleset | None, chains: Mapping[Hook, Sequence[ChainStage]]
) -> frozenset[Hook]:
    if nftables is None or not nftables.fragment:
        return frozenset()
    shown = {hook for hook, stages in chains.items() if any(each.is_nat and each.chain.rules for each in stages)}
    return DESTINATION_NAT - shown


def _priority(table: str, hook: Hook, ruleset: Ruleset) -> int:
    if table == "security" and ruleset.backend is Backend.NFT:
        return NFT_SECURITY_PRIORITY
    return NAT_PRIORITY[hook] if table == "nat" else PRIORITIES[table]


def _rank(stage: AnyStage) -> tuple[int, int]:
    """Where a hook asks a stage. All NAT chains, including those of iptables, are asked at one place, ordered by their
    own priorities."""
    return stage.priority, stage.priority if isinstance(stage, TableStage | ServersStage) else stage.own_priority


def _ranked(stages: tuple[AnyStage, ...], hook: Hook) -> Rank:
    """Stages that are asked at one place; in any order if several backends have rules there."""
    if len(stages) == 1:
        return Rank(stages)
    of_backend: dict[Backend | None, list[AnyStage]] = {}
    names: dict[Backend | None, str] = {}
    for stage in stages:
        if isinstance(stage, ServersStage):
            return Rank(stages)
        backend = stage.ruleset.backend if isinstance(stage, TableStage) else Backend.NFTABLES
        of_backend.setdefault(backend, []).append(stage)
        if backend not in names and _speaks(stage, hook):
            names[backend] = _name(stage, hook)
    if len(names) < 2:
        return Rank(stages)
    from ipt_explain.netfilter.walk.orders import BackendStages, orders_of

    silent = tuple(stage for backend, own in of_backend.items() if backend not in names for stage in own)
    speaking = [BackendStages(tuple(of_backend[backend]), name) for backend, name in names.items()]
    return Rank(stages, orders_of(speaking, silent))


def _speaks(stage: TableStage | ChainStage, hook: Hook) -> bool:
    """Whether a stage may do anything to a packet."""
    if not isinstance(stage, TableStage):
        return bool(stage.chain.rules) or stage.drops
    chain = stage.ruleset.chain(stage.table, hook.value)
    if chain is None:
        return stage.ruleset.fragment and stage.table in stage.ruleset.tables
    return bool(chain.layout.shapes) or chain.policy == "DROP"


def _name(stage: TableStage | ChainStage, hook: Hook) -> str:
    if isinstance(stage, TableStage):
        backend = stage.ruleset.backend
        return f"{stage.table} {hook.value} of {'iptables' if backend is None else backend.title}"
    return f"chain {stage.chain.name} of table {stage.table.family.value} {stage.table.name}"


def _servers(hook: Hook, servers: VirtualServers | None) -> tuple[ServersStage, ...]:
    if servers is None:
        return ()
    from ipt_explain.netfilter.ipvs.taking import LOCAL_IN_PRIORITY, LOCAL_OUT_PRIORITY

    priority = {Hook.INPUT: LOCAL_IN_PRIORITY, Hook.OUTPUT: LOCAL_OUT_PRIORITY}.get(hook)
    return () if priority is None else (ServersStage(priority, servers),)


class NodeRules:
    """The rulesets that packets of one family meet on a node, and what walks over them have learnt so far."""

    def __init__(
        self,
        rulesets: Iterable[Ruleset],
        family: Family | None = None,
        nftables: nft.Ruleset | None = None,
        servers: VirtualServers | None = None,
    ) -> None:
        self.rulesets = sorted(rulesets, key=lambda ruleset: ruleset.backend is Backend.NFT)
        self.stages = Stages(self.rulesets, family, nftables, servers)
        self.evaluator = Evaluator()
        self.indexes = ChainIndexes()
        self.chains = None if nftables is None else _columns()
        self._lists_asked: frozenset[str] | None = None

    @property
    def nat_only(self) -> bool:
        """Whether the input shows only table nat, which packets of known connections skip."""
        return self.chains is None and not any(ruleset.tables.keys() - {"nat"} for ruleset in self.rulesets)

    def after_nat(self, state: PacketState) -> PacketState:
        """A packet's state after a chain of nftables, without the sets that it was added to if no later rule looks
        there."""
        if not state.visits:
            return state
        from ipt_explain.netfilter.nft import memory

        return memory.forgetting(state, self.lists_asked)

    @property
    def lists_asked(self) -> frozenset[str]:
        """The client lists that nftables rules look up after a packet's destination is decided."""
        if self._lists_asked is None:
            from ipt_explain.netfilter.nft import memory

            stages = [stage for hook in Hook for stage in self.stages.base_chains(hook)]
            self._lists_asked = memory.asked_outside_nat(stages)
        return self._lists_asked


def _columns() -> ColumnEvaluator:
    from ipt_explain.netfilter.nft import ColumnEvaluator

    return ColumnEvaluator()
