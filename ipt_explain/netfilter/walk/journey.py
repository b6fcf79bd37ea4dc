"""Packets through every hook and table, in netfilter's order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ipt_explain.model import Chain, Extent, Ruleset, Table
from ipt_explain.netfilter.header.interfaces import NO_INTERFACE
from ipt_explain.netfilter.hooks import CONNTRACK_PRIORITY, DESTINATION_NAT, Hook
from ipt_explain.netfilter.packet import Heading, PacketState, Tracking
from ipt_explain.netfilter.probability import ALWAYS
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.chains.evaluator import Crowd
from ipt_explain.netfilter.walk.chains.frontier import Budget
from ipt_explain.netfilter.walk.chains.table import Arrival, TableWalk
from ipt_explain.netfilter.walk.counting import counted_together
from ipt_explain.netfilter.walk.flock import Entered, Flock, Travellers
from ipt_explain.netfilter.walk.node_rules import NodeRules
from ipt_explain.netfilter.walk.orders import Joined, Order, by_orders
from ipt_explain.netfilter.walk.routing import Course, Where, routes
from ipt_explain.netfilter.walk.stages import AnyStage, ServersStage, TableStage
from ipt_explain.netfilter.walk.unshown import rewriting_blindly, unreached_chains
from ipt_explain.records import dataclass, replace
from ipt_explain.words.lists import listed

if TYPE_CHECKING:
    from ipt_explain.netfilter.nft import Stage as ChainStage

LOOPBACK = "lo"
_STOPPED = {Where.NOWHERE: Verdict.DROP, Where.REFUSED: Verdict.REJECT}
_MOST_NAMED = 4
MOST_WORK = 4_000_000
"""How many rules a walk may ask, states counting for some dozens of rules each. A dump of 320,000 rules takes
20,000."""


@dataclass(frozen=True, slots=True)
class Finish:
    """How the journey ends for some packets. `delivered` tells that the node itself received them."""

    verdict: Verdict
    state: PacketState
    reason: str = ""
    delivered: bool = False


class Journey:
    """The way of a crowd through all that a node asks packets of its family; several backends are all asked.

    `sent` is where each of its packets is sent to; they share all else.
    """

    def __init__(self, node: NodeRules, sent: Sequence[Heading]) -> None:
        self.finishes: dict[Finish, list[Flock]] = {}
        self.supposed: list[str] = []
        self._entered: dict[Chain, Hook] = {}
        self._node = node
        self._balanced = Travellers()
        self._sent = sent
        self._budget = Budget(MOST_WORK + 100 * len(sent))

    def begin(self, start: PacketState) -> None:
        """Let the crowd set out, from the node itself or from where it arrives.

        Where rules turn out to count packets that others have counted, all is asked again, and those are questions.
        """
        supposed = list(self.supposed)
        set_out = self._depart if start.connection.local else self._arrive
        set_out(start)
        together = counted_together(finish.state.counted for finish in self.finishes)
        if together:
            self.finishes, self.supposed, self._budget = {}, supposed, Budget(MOST_WORK + 100 * len(self._sent))
            self._entered.clear()
            set_out(start._replace(node=replace(start.node, counted_together=together)))

    def forward(self, start: PacketState) -> None:
        """Let the crowd go on behind nat's PREROUTING, to be forwarded: FORWARD and POSTROUTING alone."""
        out = start.node.out_interface
        forwarded = self._hook(Hook.FORWARD, self._one_hop(self._all(start)), start.connection.in_interface, out)
        self._leave(self._hook(Hook.POSTROUTING, forwarded, start.connection.in_interface, out))

    def ends(self) -> Iterable[tuple[Finish, Flock]]:
        """Every end, with the packets that meet it. Of those that do not get through, each rule or policy that stops
        some stands for itself."""
        for finish, flocks in self.finishes.items():
            for flock in [Flock.joined(flocks)] if finish.verdict is Verdict.ACCEPT else flocks:
                yield finish, flock

    def _arrive(self, start: PacketState) -> None:
        """Packets that arrive: PREROUTING, routing, then INPUT, or FORWARD and POSTROUTING."""
        travellers = self._all(start)
        travellers = self._hook(Hook.PREROUTING, travellers, start.connection.in_interface, NO_INTERFACE)
        local, forwarded = self._routed(travellers)
        self._deliver(self._hook(Hook.INPUT, local, start.connection.in_interface, NO_INTERFACE))
        self._send_balanced(start)
        out = start.node.out_interface
        forwarded = self._hook(Hook.FORWARD, self._one_hop(forwarded), start.connection.in_interface, out)
        self._leave(self._hook(Hook.POSTROUTING, forwarded, start.connection.in_interface, out))

    def _depart(self, start: PacketState) -> None:
        """Packets that the node sends: OUTPUT and POSTROUTING; to the node itself, then back in over lo.

        OUTPUT shows all of its tables the interface that the packet was routed to first; POSTROUTING the one after
        DNAT.
        """
        local, leaving = self._routed(self._all(start))
        out = start.node.out_interface
        travellers = Travellers()
        for some, interface in ((local, LOOPBACK), (leaving, out)):
            for state, flock in self._hook(Hook.OUTPUT, some, NO_INTERFACE, interface).items():
                travellers.gather(state, flock)
        local, leaving = self._routed(travellers)
        self._leave(self._hook(Hook.POSTROUTING, leaving, NO_INTERFACE, out))
        self._send_balanced(start)
        local = self._hook(Hook.POSTROUTING, local, NO_INTERFACE, LOOPBACK)
        local = self._hook(Hook.PREROUTING, local, LOOPBACK, NO_INTERFACE)
        self._deliver(self._hook(Hook.INPUT, local, LOOPBACK, NO_INTERFACE))

    def _send_balanced(self, start: PacketState) -> None:
        """What IPVS has taken for other machines: OUTPUT from its beginning, and POSTROUTING."""
        taken, self._balanced = self._balanced, Travellers()
        out = start.node.out_interface
        leaving = self._hook(Hook.OUTPUT, taken, NO_INTERFACE, out, balanced=True)
        self._leave(self._hook(Hook.POSTROUTING, leaving, NO_INTERFACE, out))

    def _one_hop(self, travellers: Travellers) -> Travellers:
        """Packets that are forwarded have one hop less to go, ahead of FORWARD; with none left the kernel drops them.
        """
        going = Travellers()
        for state, flock in travellers.items():
            if state.header.hops is not None and state.header.hops <= 1:
                self._finish(Finish(Verdict.DROP, state, "its TTL has run out"), flock)
            else:
                going.gather(state._replace(header=state.header.hops_changed(-1)), flock)
        return going

    def _all(self, start: PacketState) -> Travellers:
        travellers = Travellers()
        travellers.gather(start, Flock(range(len(self._sent)), self._sent, [ALWAYS] * len(self._sent)))
        return travellers

    def _hook(
        self, hook: Hook, travellers: Travellers, in_interface: str | None, out_interface: str | None,
        balanced: bool = False,
    ) -> Travellers:  # fmt: skip
        """Ask a hook's stages in turn; returns those that all of them accept. `balanced` packets IPVS has had."""
        travellers = _changed(
            travellers,
            lambda state: state._replace(hook=hook, in_interface=in_interface, out_interface=out_interface),
        )
        tracked = False
        for orders in self._node.stages.of[hook]:
            if not tracked and orders[0].stages[0].priority > CONNTRACK_PRIORITY:
                travellers = _tracked(travellers, Tracking.NOT_YET, Tracking.NEW)
                tracked = True
            if len(orders) == 1:
                travellers = self._in_turn(orders[0].stages, hook, travellers, balanced)
            else:
                travellers = self._in_any_order(orders, hook, travellers)
        if not tracked:
            travellers = _tracked(travellers, Tracking.NOT_YET, Tracking.NEW)
        if hook is Hook.POSTROUTING:
            travellers = _tracked(travellers, Tracking.NEW, Tracking.CONFIRMED)
        return travellers

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
        """Stages of which nobody knows who is asked first: a question to packets to which it makes a difference."""
        passing = Travellers()
        for possible, some in by_orders(orders, travellers):
            ways: list[tuple[Order[AnyStage], list[tuple[PacketState, Finish | None, Flock]]]] = []
            for order in possible:
                finished, self.finishes = self.finishes, {}
                passed = self._in_turn(order.stages, hook, some).items()
                stopped = [(end.state, end, flock) for end, flocks in self.finishes.items() for flock in flocks]
                ways.append((order, [*((state, None, flock) for state, flock in passed), *stopped]))
                self.finishes = finished
            for state, finish, flock in Joined(ways):
                if finish is None:
                    passing.gather(state, flock)
                else:
                    self._finish(replace(finish, state=state), flock)
        passing.forget_idle_answers()
        return passing

    def _table(self, ruleset: Ruleset, name: str, hook: Hook, travellers: Travellers) -> Travellers:
        """One table of one ruleset. Packets that nat has nothing to decide for pass it by."""
        if not travellers:
            return travellers
        passing, entering = Travellers(), Travellers()
        for state, flock in travellers.items():
            (passing if name == "nat" and not _nat_applies(state) else entering).gather(state, flock)
        chain = ruleset.chain(name, hook.value)
        if chain is None or not (chain.layout.shapes or chain.policy == "DROP"):
            for state, flock in self._absent(ruleset, name, hook, chain, entering).items():
                passing.gather(state, flock)
            return passing
        if entering:
            self._settle(*self._walked(ruleset, name, hook.value, entering), passing)
        passing.forget_idle_answers()
        return passing

    def _chain(self, stage: ChainStage, travellers: Travellers) -> Travellers:
        """One base chain of nftables."""
        passing, entering = Travellers(), Travellers()
        for state, flock in travellers.items():
            (passing if stage.is_nat and not _nat_applies(state) else entering).gather(state, flock)
        if not entering or not (stage.chain.rules or stage.drops):
            return travellers
        from ipt_explain.netfilter.walk.backends.nft import ChainWalk

        states, flocks = zip(*entering.items())
        entered = Entered(flocks)
        assert self._node.chains is not None
        walk = ChainWalk(stage, entered, self._sent, self._node.chains, self._budget)
        for arrival in walk.run(zip(states, entered.numbers())):
            end, flock = arrival.end, walk.flock(arrival)
            if end.verdict is Verdict.ACCEPT:
                passing.gather(self._node.after_nat(end.state), flock)
            else:
                self._finish(Finish(end.verdict, end.state, end.reason), flock)
        passing.forget_idle_answers()
        return passing

    def _servers(self, stage: ServersStage, travellers: Travellers) -> Travellers:
        """IPVS: what it takes for another machine goes to OUTPUT, all else on in this hook."""
        from ipt_explain.netfilter.walk.backends.ipvs import ask_servers

        passing, taken = Travellers(), Travellers()
        for state, flock in travellers.items():
            for sent in ask_servers(stage.servers, state, flock, self._sent):
                if sent.verdict is not Verdict.ACCEPT:
                    self._finish(Finish(sent.verdict, sent.state, sent.reason), sent.flock)
                else:
                    (taken if sent.taken else passing).gather(sent.state, sent.flock)
        local, others = self._routed(taken)
        for state, flock in local.items():
            passing.gather(state, flock)
        for state, flock in others.items():
            self._balanced.gather(state, flock)
        return passing

    def _walked(
        self, ruleset: Ruleset, table: str, chain: str, travellers: Travellers
    ) -> tuple[list[Arrival], Entered]:
        states, flocks = zip(*travellers.items())
        entered = Entered(flocks)
        crowd = Crowd(entered.to, self._sent, entered.who)
        node = self._node
        walk = TableWalk(ruleset.tables[table], crowd, node.evaluator, node.indexes, self._budget, ruleset.fragment)
        return walk.arrivals(chain, zip(states, entered.numbers())), entered

    def _absent(
        self, ruleset: Ruleset, name: str, hook: Hook, chain: Chain | None, travellers: Travellers
    ) -> Travellers:
        """A built-in chain with nothing to say, or one of which a fragment does not show whether it has."""
        if chain is not None or not ruleset.fragment or not travellers:
            return travellers
        table = ruleset.tables.get(name)
        unreached = [] if table is None else unreached_chains(table)
        # Packets pass INPUT or FORWARD, not both; chains of any other hook they would meet twice.
        here = Hook.FORWARD if hook is Hook.INPUT else hook
        orphans = [chain for chain in unreached if self._entered.get(chain, here) is here]
        if table is not None and orphans:
            return self._supposed(ruleset, table, hook, orphans, travellers)
        if table is not None or name in ("nat", "filter"):
            self._take_note(f"{name} {hook.value}, which this input does not show, is empty")
        return travellers

    def _supposed(
        self, ruleset: Ruleset, table: Table, hook: Hook, orphans: Sequence[Chain], travellers: Travellers
    ) -> Travellers:
        """A fragment's chains that no rule of it jumps to: a built-in chain that it does not show leads to them, we
        suppose.

        Not so to those that rewrite addresses whatever comes, as something must choose between them. Where there are
        no others, and in hooks where nat rewrites sources, it is unknown what the packet meets.
        """
        self._entered.update(dict.fromkeys(orphans, Hook.FORWARD if hook is Hook.INPUT else hook))
        if table.name == "nat":
            chosen = rewriting_blindly(table, self._node.evaluator) if hook in DESTINATION_NAT else table.chains.keys()
            orphans = [chain for chain in orphans if chain.name not in chosen]
        if not orphans:
            self._lose_sight(travellers, f"chain {hook.value} of table {table.name}, which this input does not show")
            return Travellers()
        names = ", ".join(chain.name for chain in orphans)
        self._take_note(f"{table.name} {hook.value}, which this input does not show, leads to {names}")
        passed = Travellers()
        for chain in orphans:
            if not travellers:
                break
            arrivals, entered = self._walked(ruleset, table.name, chain.name, travellers)
            travellers = Travellers()
            self._settle([one for one in arrivals if not one.by_policy], entered, passed)
            self._settle([one for one in arrivals if one.by_policy], entered, travellers)
        thinned = [chain.name for chain in orphans if chain.extent is not Extent.WHOLE]
        if thinned:
            reason = f"the rules of chain {listed(thinned, _MOST_NAMED)} that this input does not show"
            self._lose_sight(travellers, reason)
            return passed
        for state, flock in travellers.items():
            passed.gather(state, flock)
        return passed

    def _lose_sight(self, travellers: Travellers, reason: str) -> None:
        for state, flock in travellers.items():
            self._finish(Finish(Verdict.UNKNOWN, state, reason), flock)

    def _take_note(self, note: str) -> None:
        if note not in self.supposed:
            self.supposed.append(note)

    def _settle(self, arrivals: Iterable[Arrival], entered: Entered, passing: Travellers) -> None:
        """Packets that a table accepts pass on; the others have finished."""
        for arrival in arrivals:
            end, flock = arrival.end, Flock.arrived(arrival, entered)
            if end.verdict is Verdict.ACCEPT:
                passing.gather(end.state, flock)
            else:
                self._finish(Finish(end.verdict, end.state, end.reason), flock)

    def _routed(self, travellers: Travellers) -> tuple[Travellers, Travellers]:
        """Whether each packet is for the node itself, as (local, others)."""
        local, others = Travellers(), Travellers()
        for state, flock in travellers.items():
            answers = routes(state, {to.address for to in flock.to})
            groups: dict[Where | tuple[Course, ...], Sequence[int]] = {}
            if not answers:
                groups[Where.ELSEWHERE] = range(len(flock))
            else:
                apart: dict[Where | tuple[Course, ...], list[int]] = {}
                for row, to in enumerate(flock.to):
                    apart.setdefault(answers.get(to.address, Where.ELSEWHERE), []).append(row)
                groups.update(apart)
            for answer, rows in groups.items():
                for course in (Course(answer, state),) if isinstance(answer, Where) else answer:
                    whole = course.share is ALWAYS and len(rows) == len(flock)
                    part = flock if whole else flock.take(rows, course.share)
                    if course.where in _STOPPED:
                        self._finish(Finish(_STOPPED[course.where], course.state, course.reason), part)
                    else:
                        (local if course.where is Where.HERE else others).gather(course.state, part)
        return local, others

    def _finish(self, finish: Finish, flock: Flock) -> None:
        if flock.who:
            self.finishes.setdefault(finish, []).append(flock)

    def _deliver(self, travellers: Travellers) -> None:
        for state, flock in travellers.items():
            self._finish(Finish(Verdict.ACCEPT, state, delivered=True), flock)

    def _leave(self, travellers: Travellers) -> None:
        for state, flock in travellers.items():
            self._finish(Finish(Verdict.ACCEPT, state), flock)


def _changed(travellers: Travellers, change: Callable[[PacketState], PacketState]) -> Travellers:
    moved = Travellers()
    for state, flock in travellers.items():
        moved.gather(change(state), flock)
    return moved


def _tracked(travellers: Travellers, before: Tracking, after: Tracking) -> Travellers:
    """Connection tracking's own step: between raw and mangle it makes connections, at the very end it confirms them."""

    def tracked(state: PacketState) -> PacketState:
        if before is Tracking.NOT_YET and state.tracking is Tracking.TEMPLATE:
            return state._replace(tracking=after, zone=state.mark & 0xFFFF if state.zone is None else state.zone)
        return state._replace(tracking=after) if state.tracking is before else state

    return _changed(travellers, tracked)


def _nat_applies(state: PacketState) -> bool:
    """Whether nat decides anything in this hook: for tracked connections not yet confirmed, once each way."""
    if state.tracking is not Tracking.NEW:
        return False
    return not (state.destination_decided if state.hook in DESTINATION_NAT else state.source_decided)
