"""All rules that a node's packets of one family meet, ready to be walked, and what walks have learnt about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ipt_explain.model import Backend, Family, Ruleset
from ipt_explain.model.node.facts import VirtualServers
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.walk.chains.chain_index import ChainIndexes
from ipt_explain.netfilter.walk.chains.evaluator import Evaluator
from ipt_explain.netfilter.walk.stages import Stages

if TYPE_CHECKING:
    from ipt_explain.model import nft
    from ipt_explain.netfilter.nft import Columns


class NodeRules:
    """The rulesets that a node's packets of one family meet, and what walks over them have learnt so far."""

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

    def after_nat(self, state: PacketState) -> PacketState:
        """A packet that leaves a chain of nftables, without what it has been entered into and nobody will ask."""
        if not state.visits:
            return state
        from ipt_explain.netfilter.nft import memory

        return memory.forgetting(state, self.lists_asked)

    @property
    def lists_asked(self) -> frozenset[str]:
        """The lists of clients that rules of nftables ask once a packet's destination is decided on."""
        if self._lists_asked is None:
            from ipt_explain.netfilter.nft import memory

            stages = [stage for hook in Hook for stage in self.stages.base_chains(hook)]
            self._lists_asked = memory.asked_outside_nat(stages)
        return self._lists_asked


def _columns() -> Columns:
    from ipt_explain.netfilter.nft import Columns

    return Columns()
