"""One hook: sends packets through its stages in order of priority."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ipt_explain.model import Ruleset
from ipt_explain.netfilter.hooks import CONNTRACK_PRIORITY, DESTINATION_NAT, NAT_PRIORITY, Hook
from ipt_explain.netfilter.packet import Heading, PacketState, Tracking
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.chains.evaluator import Crowd
from ipt_explain.netfilter.walk.chains.frontier import Budget
from ipt_explain.netfilter.walk.chains.table import Arrival, TableWalk
from ipt_explain.netfilter.walk.ends import Ends, Finish
from ipt_explain.netfilter.walk.packets import Entered, Packets, Travellers
from ipt_explain.netfilter.walk.routing import routed
from ipt_explain.netfilter.walk.stages import AnyStage, NodeRules, ServersStage, TableStage
from ipt_explain.netfilter.walk.unshown import Unshown, may_be_unshown
from ipt_explain.records import replace

if TYPE_CHECKING:
    from ipt_explain.netfilter.nft import Stage as ChainStage
    from ipt_explain.netfilter.walk.orders import Order

MOST_WORK = 4_000_000
"""How many rules a walk may evaluate; each state counts as some dozens of rules. A dump of 320,000 rules takes
20,000."""


class HookWalk:
    """A crowd's way through hooks, one at a time. `sent` has each packet's original destination; they share everything
    else.

    `ends` are those of packets that do not get through a hook; `balanced` are packets that IPVS sends to other
    machines.
    """

    def __init__(self, node: NodeRules, sent: Sequence[Heading], work: int = MOST_WORK) -> None:
        self.ends = Ends()
        self.unshown = Unshown(node.evaluator)
        self.balanced = Travellers()
        self._node = node
        self._sent = sent
        self._budget = Budget(work + 100 * len(sent))

    def through(
        self, hook: Hook, travellers: Travellers, in_interface: str | None, out_interface: str | None,
        balanced: bool = False,
    ) -> Travellers:  # fmt: skip
        """Send packets through a hook's stages; returns those that all stages accept. `balanced` packets have been
        through IPVS."""
        if not travellers:
            return travellers
        travellers = _changed(
            travellers,
            lambda state: state._replace(hook=hook, in_interface=in_interface, out_interface=out_interface),
        )
        tracked, nat = False, NAT_PRIORITY.get(hook)
        for rank in self._node.stages.of[hook]:
            if not tracked and rank.stages[0].priority > CONNTRACK_PRIORITY:
                travellers = _changed(travellers, _tracked)
                tracked = True
            if nat is not None and rank.stages[0].priority > nat:
                travellers, nat = _translated(travellers, hook), None
            if rank.orders:
                travellers = self._in_any_order(rank.orders, hook, travellers)
            else:
                travellers = self._in_turn(rank.stages, hook, travellers, balanced)
        if not tracked:
            travellers = _changed(travellers, _tracked)
        if hook in self._node.stages.hiding_nat:
            travellers = self._perhaps_translated(hook, travellers)
        if nat is not None:
            travellers = _translated(travellers, hook)
        if hook is Hook.POSTROUTING:
            travellers = _changed(travellers, _confirmed)
        return travellers

    def _perhaps_translated(self, hook: Hook, travellers: Travellers) -> Travellers:
        """The packets whose destination is decided. The others end as unknown."""
        passing, unknown = Travellers(), Travellers()
        for state, packets in travellers.items():
            (unknown if _nat_applies(state) else passing).gather(state, packets)
        reason = f"chains of nftables in hook {hook.value.lower()} that this input does not show"
        self.ends.add_all(unknown, Verdict.UNKNOWN, reason)
        return passing

    def _in_turn(
        self, stages: Iterable[AnyStage], hook: Hook, travellers: Travellers, balanced: bool = False
    ) -> Travellers:
        for stage in stages:
            if isinstance(stage, TableStage):
                travellers = self._table(stage.ruleset, stage.table, hook, travellers)
            elif not isinstance(stage, ServersStage):
                travellers = self._chain(stage, travellers)
            elif not balanced:
                travellers = self._servers(stage, travellers)
        return travellers

    def _in_any_order(self, orders: tuple[Order[AnyStage], ...], hook: Hook, travellers: Travellers) -> Travellers:
        """Stages in an unknown order: a question for packets to which the order makes a difference."""
        from ipt_explain.netfilter.walk.orders import Joined, by_orders

        passing = Travellers()
        for possible, some in by_orders(orders, travellers):
            ways: list[tuple[Order[AnyStage], list[tuple[PacketState, Finish | None, Packets]]]] = []
            for order in possible:
                before, self.ends = self.ends, Ends()
                passed = self._in_turn(order.stages, hook, some).items()
                stopped = [(end.state, end, packets) for end, packets in self.ends.apart()]
                ways.append((order, [*((state, None, packets) for state, packets in passed), *stopped]))
                self.ends = before
            for state, finish, packets in Joined(ways):
                if finish is None:
                    passing.gather(state, packets)
                else:
                    self.ends.add(replace(finish, state=state), packets)
        passing.forget_idle_answers()
        return passing

    def _table(self, ruleset: Ruleset, name: str, hook: Hook, travellers: Travellers) -> Travellers:
        """One table of one ruleset. Packets for which nat has nothing to decide bypass it."""
        chain = ruleset.chain(name, hook.value)
        acts = may_be_unshown(ruleset, name) if chain is None else bool(chain.layout.shapes) or chain.policy == "DROP"
        if not acts or not travellers:
            return travellers
        passing, entering = Travellers(), Travellers()
        for state, packets in travellers.items():
            (passing if name == "nat" and not _nat_applies(state) else entering).gather(state, packets)
        if chain is None:
            entering = self.unshown.passed(ruleset, name, hook, entering, self.ends, self._walked)
            for state, packets in entering.items():
                passing.gather(state, packets)
            return passing
        if entering:
            self.ends.settle(*self._walked(ruleset, name, hook.value, entering), passing)
        passing.forget_idle_answers()
        return passing

    def _chain(self, stage: ChainStage, travellers: Travellers) -> Travellers:
        """One base chain of nftables."""
        passing, entering = Travellers(), Travellers()
        for state, packets in travellers.items():
            (passing if stage.is_nat and not _nat_applies(state) else entering).gather(state, packets)
        if not entering or not (stage.chain.rules or stage.drops):
            return travellers
        from ipt_explain.netfilter.walk.backends.nft import ChainWalk

        states, groups = zip(*entering.items())
        entered = Entered(groups)
        assert self._node.chains is not None
        forgets = stage.is_nat and stage.hook in DESTINATION_NAT and not self._node.lists_asked
        walk = ChainWalk(stage, entered, self._sent, self._node.chains, self._budget, forgets)
        for arrival in walk.run(zip(states, entered.numbers())):
            end, packets = arrival.end, walk.packets(arrival)
            if end.verdict is Verdict.ACCEPT:
                passing.gather(self._node.after_nat(end.state), packets)
            else:
                self.ends.add(Finish(end.verdict, end.state, end.reason), packets)
        passing.forget_idle_answers()
        return passing

    def _servers(self, stage: ServersStage, travellers: Travellers) -> Travellers:
        """IPVS. Packets that it sends to another machine continue in OUTPUT, all others in this hook."""
        from ipt_explain.netfilter.walk.backends.ipvs import ask_servers

        passing, taken = Travellers(), Travellers()
        for state, packets in travellers.items():
            for sent in ask_servers(stage.servers, state, packets):
                if sent.verdict is not Verdict.ACCEPT:
                    self.ends.add(Finish(sent.verdict, sent.state, sent.reason), sent.packets)
                else:
                    (taken if sent.taken else passing).gather(sent.state, sent.packets)
        local, others = routed(taken, self.ends, self._sent)
        for state, packets in local.items():
            passing.gather(state, packets)
        for state, packets in others.items():
            self.balanced.gather(state, packets)
        return passing

    def _walked(
        self, ruleset: Ruleset, table: str, chain: str, travellers: Travellers
    ) -> tuple[list[Arrival], Entered]:
        states, groups = zip(*travellers.items())
        entered = Entered(groups)
        crowd = Crowd(entered.to, self._sent, entered.who)
        node = self._node
        walk = TableWalk(ruleset.tables[table], crowd, node.evaluator, node.indexes, self._budget, ruleset.fragment)
        return walk.arrivals(chain, zip(states, entered.numbers())), entered


def _changed(travellers: Travellers, change: Callable[[PacketState], PacketState]) -> Travellers:
    moved = Travellers()
    for state, packets in travellers.items():
        moved.gather(change(state), packets)
    return moved


def _tracked(state: PacketState) -> PacketState:
    """Connection tracking's step between raw and mangle: finds or creates the packet's connection in its zone."""
    if state.tracking is not Tracking.NOT_YET and state.tracking is not Tracking.TEMPLATE:
        return state
    known = state.connection.known
    original, replies = [state.mark & 0xFFFF if zone is None else zone for zone in state.zones]
    zones = original, replies
    direction = int(known is not None and known.tracking is Tracking.REPLY)
    if known is None or zones[direction] != known.zones[direction]:
        return state._replace(tracking=Tracking.NEW, zones=zones)
    return state._replace(tracking=known.tracking)


def _translated(travellers: Travellers, hook: Hook) -> Travellers:
    """NAT's step for packets of known connections: repeats what was decided for the first packet, or undoes it."""
    translated = Travellers()
    for state, packets in travellers.items():
        known = state.connection.known
        if known is None:
            return travellers
        if not state.is_known:
            translated.gather(state, packets)
        elif hook in DESTINATION_NAT:
            translated.gather(state, packets.bound_for(known.to))
        else:
            source, port, _ = known.source
            assert source is not None
            translated.gather(state._replace(source=source, source_port=port), packets)
    return translated


def _confirmed(state: PacketState) -> PacketState:
    """Connection tracking's step at the very end."""
    return state._replace(tracking=Tracking.CONFIRMED) if state.tracking is Tracking.NEW else state


def _nat_applies(state: PacketState) -> bool:
    """Whether nat decides anything in this hook: for tracked connections not yet confirmed, once each way."""
    if state.tracking is not Tracking.NEW:
        return False
    return not (state.destination_decided if state.hook in DESTINATION_NAT else state.source_decided)
