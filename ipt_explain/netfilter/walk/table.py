"""What the chains of one table do with a packet: every end, each with its share, without following paths one by one.

A chain is looked at once for each state in which a packet enters it: a visit. It knows in which states packets come
back, and which ends they meet; shares are of the packets that enter. Visits are finished callees first, as a caller
goes on with what comes back; then shares flow down, callers first. So a diamond of jumps with 2^40 paths costs 40
visits, and nothing is copied upwards but what returns. Nothing recurses on the depth of jumps. A chain that is
entered while it is being looked at is a loop: it is cut there, and named.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable

from ipt_explain.model import Rule, Table
from ipt_explain.netfilter.condition import Branch
from ipt_explain.netfilter.evaluator import Evaluator
from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.probability import ALWAYS, Probability, product, total
from ipt_explain.netfilter.targets import Effect, Flow, Verdict, changes_nothing, effect_of, is_verdict
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.frontier import Budget, Frontier
from ipt_explain.netfilter.walk.visit import Call, End, Passage, Trail, Visit
from ipt_explain.records import dataclass

TOO_MUCH = "too many different packets to follow each"
LOOP = "a loop of jumps"


Key = tuple[str, PacketState]
Walk = Generator[Key, Visit, None]


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """Packets that have met an end, or the end of the built-in chain and so its policy, and how they came."""

    end: End
    share: Probability
    passage: Passage
    by_policy: bool = False


class TableWalk:
    """One walk through one table. Chains that it lacks are unknown where `fragment`, else they are not the kernel's."""

    def __init__(self, table: Table, evaluator: Evaluator, budget: Budget, fragment: bool) -> None:
        self._table = table
        self._evaluator = evaluator
        self._budget = budget
        self._fragment = fragment
        self._visits: dict[Key, Visit] = {}
        self._finished: list[Visit] = []
        self._open: set[str] = set()

    def arrivals(self, chain: str, entering: Iterable[tuple[PacketState, Probability]]) -> list[Arrival]:
        """Where packets end that enter a built-in chain in these states with these shares."""
        roots = []
        for state, share in entering:
            root = self._finished_visit((chain, state))
            root.weight = share
            roots.append(root)
        self._spread_weights()
        arrivals = [
            Arrival(end, product(visit.weight, portion.share), Passage(visit, portion.via))
            for visit in self._finished
            if visit.weight
            for end, portion in visit.ends.items()
        ]
        for root in roots:
            dropped = root.chain.policy == "DROP"
            for state, portion in root.returned.items():
                trail = Trail(portion.via, None, state, state) if dropped else portion.via
                end = End(Verdict.DROP if dropped else Verdict.ACCEPT, state)
                share = product(root.weight, portion.share)
                arrivals.append(Arrival(end, share, Passage(root, trail), by_policy=True))
        return arrivals

    def _finished_visit(self, key: Key) -> Visit:
        """The visit of a chain in a state, finished; the chains that it calls are finished first, on a stack of our
        own."""
        stack = [self._opened(key)]
        answer: Visit | None = None
        while True:
            asking, visit, walk = stack[-1]
            try:
                wanted = walk.send(answer) if answer is not None else next(walk)
            except StopIteration:
                stack.pop()
                self._open.discard(visit.chain.name)
                self._visits[asking] = visit
                self._finished.append(visit)
                if not stack:
                    return visit
                answer = visit
                continue
            answer = self._visits.get(wanted)
            if answer is None:
                stack.append(self._opened(wanted))

    def _opened(self, key: Key) -> tuple[Key, Visit, Walk]:
        chain, state = key
        self._open.add(chain)
        visit = Visit(self._table.name, self._table.chains[chain], state)
        return key, visit, self._walk(visit)

    def _walk(self, visit: Visit) -> Walk:
        """Take packets through a chain, rule by rule. Asks for the visits of the chains that it jumps to."""
        frontier = Frontier(visit.chain.rules, self._evaluator, self._budget)
        frontier.add(visit.state, ALWAYS, None, 0)
        while (found := frontier.pop()) is not None:
            rule, portions = found
            if rule is None:
                for state, portion in portions.items():
                    visit.returned.gather(state, portion.share, portion.via)
                continue
            for state, portion in portions.items():
                answer = frontier.answer(rule, state)
                branches = (Branch(ALWAYS, answer is Truth.YES, state),) if isinstance(answer, Truth) else answer
                for branch in branches:
                    share = product(portion.share, branch.share)
                    if not share:
                        continue
                    if branch.matches:
                        yield from self._matched(visit, frontier, rule, branch.state, share, portion.via)
                    else:
                        frontier.go_on(branch.state, share, portion.via)
        for share, trail in frontier.given_up:
            visit.ends.gather(End(Verdict.UNKNOWN, visit.state, TOO_MUCH), share, trail)
        _forget_idle_answers(visit)

    def _matched(
        self, visit: Visit, frontier: Frontier, rule: Rule, state: PacketState, share: Probability, trail: Trail | None
    ) -> Walk:
        """Apply a rule's target to packets that match it."""
        name = rule.target
        if name is not None and name in self._table.chains and (rule.is_goto or not is_verdict(name)):
            if name in self._open:
                self._end(
                    visit,
                    End(Verdict.UNKNOWN, state, f"{LOOP} that comes back to chain {name}"),
                    rule,
                    state,
                    share,
                    trail,
                )
            else:
                callee = yield name, state
                self._called(visit, callee, frontier, rule, state, share, trail)
            return
        try:
            effect = None if rule.is_goto else effect_of(rule, state)
        except (ValueError, IndexError):
            effect = Effect(Verdict.UNKNOWN, ((ALWAYS, state),), f"what the unreadable target of line {rule.line} does")
        if effect is None:
            self._end(visit, End(Verdict.UNKNOWN, state, self._unknown_target(name or "")), rule, state, share, trail)
            return
        self._affected(visit, frontier, effect, rule, state, share, trail)

    def _called(
        self, visit: Visit, callee: Visit, frontier: Frontier, rule: Rule, state: PacketState, share: Probability,
        trail: Trail | None,
    ) -> None:  # fmt: skip
        """Go on with what comes back from a chain: behind the rule, or, after a goto, where this chain would return
        to."""
        visit.calls.append(Call(visit, callee, share, trail, rule, state))
        for after, portion in callee.returned.items():
            link = Trail(trail, rule, state, after, Passage(callee, portion.via))
            if rule.is_goto:
                visit.returned.gather(after, product(share, portion.share), link)
            else:
                frontier.go_on(after, product(share, portion.share), link)

    def _affected(
        self, visit: Visit, frontier: Frontier, effect: Effect, rule: Rule, state: PacketState, share: Probability,
        trail: Trail | None,
    ) -> None:  # fmt: skip
        for part, after in effect.states:
            if isinstance(effect.then, Verdict):
                self._end(visit, End(effect.then, after, effect.reason), rule, state, product(share, part), trail)
                continue
            silent = changes_nothing(rule.shape)
            link = trail if silent else Trail(trail, rule, state, after)
            if effect.then is Flow.RETURN:
                visit.returned.gather(after, product(share, part), link)
            else:
                frontier.go_on(after, product(share, part), link)

    def _end(
        self, visit: Visit, end: End, rule: Rule, before: PacketState, share: Probability, trail: Trail | None
    ) -> None:
        visit.ends.gather(end, share, Trail(trail, rule, before, end.state))

    def _unknown_target(self, name: str) -> str:
        if self._fragment:
            return f"chain {name} of table {self._table.name}, which this input does not show"
        return f"what target {name} does"

    def _spread_weights(self) -> None:
        """Let every visit know how many packets enter it. Callers stand behind their callees in the order finished."""
        heaviest: dict[Visit, Probability] = {}
        for visit in reversed(self._finished):
            if not visit.weight:
                continue
            for call in visit.calls:
                weight, callee = product(visit.weight, call.share), call.callee
                callee.weight = total(callee.weight, weight) if callee.weight else weight
                if weight > heaviest.get(callee, 0.0):
                    heaviest[callee] = weight
                    callee.caller = call


def _forget_idle_answers(visit: Visit) -> None:
    visit.returned.forget_idle_answers(lambda state: state.answers, PacketState.with_answers)
    visit.ends.forget_idle_answers(
        lambda end: end.state.answers,
        lambda end, answers: End(end.verdict, end.state.with_answers(answers), end.reason),
    )
