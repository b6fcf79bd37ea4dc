"""One packet through every hook and table, in netfilter's order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipt_explain.model import Chain, Ruleset, Table
from ipt_explain.netfilter.condition import Branch, Question, decide, split
from ipt_explain.netfilter.evaluator import Evaluator
from ipt_explain.netfilter.hooks import DESTINATION_NAT, TABLES, Hook
from ipt_explain.netfilter.interfaces import NO_INTERFACE
from ipt_explain.netfilter.matches.addressing import own_address_question
from ipt_explain.netfilter.packet import PacketState, Tracking
from ipt_explain.netfilter.probability import ALWAYS, product
from ipt_explain.netfilter.targets import Verdict, is_nat
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.frontier import Budget
from ipt_explain.netfilter.walk.path import Path
from ipt_explain.netfilter.walk.portions import Portions
from ipt_explain.netfilter.walk.table import Arrival, TableWalk
from ipt_explain.records import dataclass

LOOPBACK = "lo"
MOST_WORK = 4_000_000
"""How many rules a trace may ask, states counting for some dozens of rules each. A dump of 320,000 rules takes
20,000."""

Travellers = Portions[PacketState, Path | None]


@dataclass(frozen=True, slots=True)
class Finish:
    """How the journey ends for some packets. `delivered` tells that the node itself received them."""

    verdict: Verdict
    state: PacketState
    reason: str = ""
    delivered: bool = False


class Journey:
    """The way of one packet through the rulesets of its family; two backends are both asked, legacy first in each
    table."""

    def __init__(self, rulesets: Sequence[Ruleset]) -> None:
        self.finishes: Portions[Finish, Path | None] = Portions()
        self.supposed: list[str] = []
        self._entered: set[Chain] = set()
        self._rulesets = rulesets
        self._evaluator = Evaluator()
        self._budget = Budget(MOST_WORK)

    def arrive(self, start: PacketState) -> None:
        """A packet that arrives: PREROUTING, routing, then INPUT, or FORWARD and POSTROUTING."""
        travellers = self._one(start)
        travellers = self._hook(Hook.PREROUTING, travellers, start.connection.in_interface, NO_INTERFACE)
        local, forwarded = self._routed(travellers)
        self._deliver(self._hook(Hook.INPUT, local, start.connection.in_interface, NO_INTERFACE))
        out = start.node.out_interface
        forwarded = self._hook(Hook.FORWARD, forwarded, start.connection.in_interface, out)
        self._leave(self._hook(Hook.POSTROUTING, forwarded, start.connection.in_interface, out))

    def depart(self, start: PacketState) -> None:
        """A packet that the node sends: OUTPUT and POSTROUTING; to the node itself, then back in over lo.

        OUTPUT shows all of its tables the interface that the packet was routed to first; POSTROUTING the one after
        DNAT.
        """
        local, leaving = self._routed(self._one(start))
        out = start.node.out_interface
        travellers: Travellers = Portions()
        for portions, interface in ((local, LOOPBACK), (leaving, out)):
            for state, portion in self._hook(Hook.OUTPUT, portions, NO_INTERFACE, interface).items():
                travellers.gather(state, portion.share, portion.via)
        local, leaving = self._routed(travellers)
        self._leave(self._hook(Hook.POSTROUTING, leaving, NO_INTERFACE, out))
        local = self._hook(Hook.POSTROUTING, local, NO_INTERFACE, LOOPBACK)
        local = self._hook(Hook.PREROUTING, local, LOOPBACK, NO_INTERFACE)
        self._deliver(self._hook(Hook.INPUT, local, LOOPBACK, NO_INTERFACE))

    def _one(self, start: PacketState) -> Travellers:
        travellers: Travellers = Portions()
        travellers.gather(start, ALWAYS, None)
        return travellers

    def _hook(
        self, hook: Hook, travellers: Travellers, in_interface: str | None, out_interface: str | None
    ) -> Travellers:
        """Ask a hook's tables in turn; returns those that all of them accept."""
        entered: Travellers = Portions()
        for state, portion in travellers.items():
            state = state._replace(hook=hook, in_interface=in_interface, out_interface=out_interface)
            entered.gather(state, portion.share, portion.via)
        travellers = entered
        for table in TABLES[hook]:
            if table != "raw":
                travellers = self._tracked(travellers)
            for ruleset in self._rulesets:
                travellers = self._table(ruleset, table, hook, travellers)
        if hook is Hook.POSTROUTING:
            travellers = self._tracked(travellers, Tracking.NEW, Tracking.CONFIRMED)
        return travellers

    def _tracked(
        self, travellers: Travellers, before: Tracking = Tracking.NOT_YET, after: Tracking = Tracking.NEW
    ) -> Travellers:
        """Connection tracking's own step: between raw and mangle it makes connections, at the very end it confirms
        them."""
        moved: Travellers = Portions()
        for state, portion in travellers.items():
            if state.tracking is before:
                state = state._replace(tracking=after)
            moved.gather(state, portion.share, portion.via)
        return moved

    def _table(self, ruleset: Ruleset, name: str, hook: Hook, travellers: Travellers) -> Travellers:
        """One table of one ruleset. Packets that nat has nothing to decide for pass it by."""
        if not travellers:
            return travellers
        chain = ruleset.chain(name, hook.value)
        if chain is None or not (chain.rules or chain.policy == "DROP"):
            return self._absent(ruleset, name, hook, chain, travellers)
        passing: Travellers = Portions()
        entering: Travellers = Portions()
        for state, portion in travellers.items():
            into = passing if name == "nat" and not _nat_applies(state) else entering
            into.gather(state, portion.share, portion.via)
        if entering:
            walk = TableWalk(ruleset.tables[name], self._evaluator, self._budget, ruleset.fragment)
            self._settle(walk.arrivals(hook.value, [(s, p.share) for s, p in entering.items()]), entering, passing)
        passing.forget_idle_answers(lambda state: state.answers, PacketState.with_answers)
        return passing

    def _absent(
        self, ruleset: Ruleset, name: str, hook: Hook, chain: Chain | None, travellers: Travellers
    ) -> Travellers:
        """A built-in chain with nothing to say, or one of which a fragment does not show whether it has."""
        if chain is not None or not ruleset.fragment:
            return travellers
        table = ruleset.tables.get(name)
        orphans = [] if table is None else [chain for chain in unreached_chains(table) if chain not in self._entered]
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

        Not so where they rewrite addresses themselves, as then something must choose between them, nor in hooks where
        nat rewrites sources: what the packet meets is unknown there.
        """
        plausible = table.name != "nat" or hook in DESTINATION_NAT
        if not plausible or any(is_nat(rule.target) for chain in orphans for rule in chain.rules):
            reason = f"chain {hook.value} of table {table.name}, which this input does not show"
            for state, portion in travellers.items():
                self.finishes.gather(Finish(Verdict.UNKNOWN, state, reason), portion.share, portion.via)
            return Portions()
        self._entered.update(orphans)
        names = ", ".join(chain.name for chain in orphans)
        self._take_note(f"{table.name} {hook.value}, which this input does not show, leads to {names}")
        passed: Travellers = Portions()
        for chain in orphans:
            walk = TableWalk(table, self._evaluator, self._budget, ruleset.fragment)
            arrivals = walk.arrivals(chain.name, [(state, portion.share) for state, portion in travellers.items()])
            returned: Travellers = Portions()
            self._settle([one for one in arrivals if not one.by_policy], travellers, passed)
            self._settle([one for one in arrivals if one.by_policy], travellers, returned)
            travellers = returned
        for state, portion in travellers.items():
            passed.gather(state, portion.share, portion.via)
        return passed

    def _take_note(self, note: str) -> None:
        if note not in self.supposed:
            self.supposed.append(note)

    def _settle(self, arrivals: Iterable[Arrival], entered: Travellers, passing: Travellers) -> None:
        """Packets that a table accepts pass on; the others have finished."""
        for arrival in arrivals:
            path = Path(_way_in(entered, arrival), arrival.passage)
            end = arrival.end
            if end.verdict is Verdict.ACCEPT:
                passing.gather(end.state, arrival.share, path)
            else:
                self.finishes.gather(Finish(end.verdict, end.state, end.reason), arrival.share, path)

    def _routed(self, travellers: Travellers) -> tuple[Travellers, Travellers]:
        """Whether each packet is for the node itself, as (local, others)."""
        local: Travellers = Portions()
        others: Travellers = Portions()
        for state, portion in travellers.items():
            answer = _for_this_node(state)
            branches = (Branch(ALWAYS, answer is Truth.YES, state),) if isinstance(answer, Truth) else answer
            for branch in branches:
                into = local if branch.matches else others
                into.gather(branch.state, product(portion.share, branch.share), portion.via)
        return local, others

    def _deliver(self, travellers: Travellers) -> None:
        for state, portion in travellers.items():
            self.finishes.gather(Finish(Verdict.ACCEPT, state, delivered=True), portion.share, portion.via)

    def _leave(self, travellers: Travellers) -> None:
        for state, portion in travellers.items():
            self.finishes.gather(Finish(Verdict.ACCEPT, state), portion.share, portion.via)


def _nat_applies(state: PacketState) -> bool:
    """Whether nat decides anything in this hook: for tracked connections not yet confirmed, once each way."""
    if state.tracking is not Tracking.NEW:
        return False
    return not (state.destination_decided if state.hook in DESTINATION_NAT else state.source_decided)


def _for_this_node(state: PacketState) -> Truth | tuple[Branch, ...]:
    """The routing decision. Where the node's addresses are not known, one that NAT chose is taken for another
    machine's."""
    if state.to_interface:
        return Truth.YES
    owned = state.owns(state.destination)
    if owned is Truth.UNKNOWN and state.destination_decided:
        return Truth.NO
    answer = decide(owned, state, own_address_question(state.destination, state.connection.family))
    return split((answer,), state) if isinstance(answer, Question) else answer


def _way_in(entered: Travellers, arrival: Arrival) -> Path | None:
    """How the packets had come to the table that arrived so."""
    visit = arrival.passage.visit
    while visit.caller is not None:
        visit = visit.caller.visit
    return entered[visit.state].via


def unreached_chains(table: Table) -> list[Chain]:
    """The user chains of a table that no rule of it jumps to, in the order of the text."""
    targets = {rule.target for chain in table.chains.values() for rule in chain.rules}
    built_in = {hook.value for hook in Hook}
    return [chain for name, chain in table.chains.items() if name not in targets and name not in built_in]
