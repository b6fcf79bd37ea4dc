"""What one statement does with packets: whether it matches, what it changes, and its verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ipt_explain.model import Family, nft
from ipt_explain.model.nft.printing import statement_text
from ipt_explain.netfilter.condition import Question, ask, split
from ipt_explain.netfilter.header import TCP
from ipt_explain.netfilter.nat import redirects_nowhere
from ipt_explain.netfilter.nft import memory
from ipt_explain.netfilter.nft.mangling import mangled
from ipt_explain.netfilter.nft.matching import Found, Matcher
from ipt_explain.netfilter.nft.rewriting import applies, rewritten
from ipt_explain.netfilter.nft.ways import Leap, then_of
from ipt_explain.netfilter.packet import Bound, Heading, PacketState, Tracking
from ipt_explain.netfilter.probability import ALWAYS, Probability, product
from ipt_explain.netfilter.targets import Flow, Verdict
from ipt_explain.netfilter.truth import Truth
from ipt_explain.records import NamedTuple


class StatementEffect(NamedTuple):
    """What a statement does with a share of packets. If `then` is None, the next statement runs."""

    share: Probability
    state: PacketState
    to: Heading
    then: Verdict | Flow | Leap | None = None
    matched: bool = True
    reason: str = ""


class Statements:
    """Runs statements."""

    def __init__(self) -> None:
        self.matcher = Matcher()

    def answer(
        self, table: nft.Table, rule: nft.Rule, statement: nft.Statement, state: PacketState, bound: Bound
    ) -> Truth | Question | Sequence[StatementEffect]:
        """What a statement of a rule does with a packet: a match's answer, YES if it changes nothing, or steps, whose
        shares sum to 1."""
        if isinstance(statement, nft.Match):
            answer = self.matcher.match(table, statement, state, bound)
            if isinstance(answer, (Truth, Question)):
                return answer
            return [
                StatementEffect(
                    branch.share, branch.state, bound.to, None if branch.matches else Flow.CONTINUE, branch.matches
                )
                for branch in answer
            ]
        effect = _EFFECTS.get(type(statement))
        if effect is not None:
            made: Truth | Question | Sequence[StatementEffect] = effect(self, table, rule, statement, state, bound)
            return made
        if isinstance(statement, nft.Unread):
            if statement is rule.statements[-1]:
                return [
                    StatementEffect(ALWAYS, state, bound.to, Verdict.UNKNOWN, True, f"what `{statement.text}` does")
                ]
            return ask(state, f"{statement.text} ({_where(rule)}) matches")
        # Limits, quotas and counts of connections: each rule has its own bucket, even if two read the same.
        return ask(state, f"{statement_text(statement)} ({_where(rule)})")

    def _verdict(
        self, table: nft.Table, rule: nft.Rule, verdict: nft.Verdict, state: PacketState, bound: Bound
    ) -> Truth | Sequence[StatementEffect]:
        then = then_of(verdict)
        return Truth.YES if then is None else [StatementEffect(ALWAYS, state, bound.to, then)]

    def verdict_map(
        self, table: nft.Table, rule: nft.Rule, statement: nft.VerdictMap, state: PacketState, bound: Bound
    ) -> Sequence[StatementEffect]:
        """What a verdict map does with a packet. The shares sum to 1."""
        steps = []
        for found in self.matcher.lookups(table, statement.key, statement.data, state, bound):
            if found.unknown:
                reason = f"which verdict `{statement_text(statement)}` finds"
                steps.append(StatementEffect(found.share, found.state, bound.to, Verdict.UNKNOWN, True, reason))
            elif found.element is None or not isinstance(found.element.data, nft.Verdict):
                steps.append(_failed(found, bound))
            else:
                steps.append(StatementEffect(found.share, found.state, bound.to, then_of(found.element.data)))
        return steps

    def _nat(
        self, table: nft.Table, rule: nft.Rule, nat: nft.Nat, state: PacketState, bound: Bound
    ) -> Truth | Sequence[StatementEffect]:
        if not applies(nat, state):
            return Truth.NO
        steps = []
        for found, address in self.matcher.values(table, nat.address, state, bound):
            if found.unknown:
                reason = f"where `{statement_text(nat)}` sends it"
                steps.append(StatementEffect(found.share, found.state, bound.to, Verdict.UNKNOWN, True, reason))
            elif address is None and nat.address is not None:
                steps.append(_failed(found, bound))
            else:
                steps += self._rewritten(rule, nat, address, found, bound)
        return steps

    def _rewritten(
        self, rule: nft.Rule, nat: nft.Nat, address: nft.Expression | None, found: Found, bound: Bound
    ) -> Sequence[StatementEffect]:
        if nat.kind is nft.NatKind.REDIRECT and redirects_nowhere(found.state):
            reason = f"{found.state.in_interface} has no address to redirect to"
            return [StatementEffect(found.share, found.state, bound.to, Verdict.DROP, True, reason)]
        try:
            choices = rewritten(nat, address, found.state, bound.to)
        except ValueError:
            reason = f"where the unreadable `{statement_text(nat)}` sends it"
            return [StatementEffect(found.share, found.state, bound.to, Verdict.UNKNOWN, True, reason)]
        return [StatementEffect(product(found.share, share), state, to, Verdict.ACCEPT) for share, state, to in choices]

    def _mangle(
        self, table: nft.Table, rule: nft.Rule, mangle: nft.Mangle, state: PacketState, bound: Bound
    ) -> Sequence[StatementEffect]:
        steps = []
        for found, value in self.matcher.values(table, mangle.value, state, bound):
            if value is None and not found.unknown:
                steps.append(_failed(found, bound))
                continue
            after = None if found.unknown else mangled(mangle, value, found.state, bound)
            if after is None:
                reason = f"what `{statement_text(mangle)}` writes"
                steps.append(StatementEffect(found.share, found.state, bound.to, Verdict.UNKNOWN, True, reason))
            else:
                steps.append(StatementEffect(found.share, *after))
        return steps

    def _set_update(
        self, table: nft.Table, rule: nft.Rule, update: nft.SetUpdate, state: PacketState, bound: Bound
    ) -> Truth | Sequence[StatementEffect]:
        entered = memory.entered(table, update, state, bound.to)
        limits = [one for one in update.statements if not isinstance(one, nft.Counter)]
        if not limits:
            return [StatementEffect(ALWAYS, entered, bound.to)]
        texts = " ".join(map(statement_text, limits))
        answer = ask(state, f"{texts} ({_where(rule)})")
        if isinstance(answer, Truth):
            return [StatementEffect(ALWAYS, entered, bound.to)] if answer is Truth.YES else Truth.NO
        steps = []
        for one in split((answer,), state):
            if one.matches:
                steps.append(StatementEffect(one.share, memory.entered(table, update, one.state, bound.to), bound.to))
            else:
                steps.append(StatementEffect(one.share, one.state, bound.to, Flow.CONTINUE, False))
        return steps

    def _reject(
        self, table: nft.Table, rule: nft.Rule, reject: nft.Reject, state: PacketState, bound: Bound
    ) -> Truth | Sequence[StatementEffect]:
        """nft adds the matches that an answer needs, and does not print them."""
        family, protocol = _ANSWERS_ONLY.get(reject.kind or "", (None, None))
        if family not in (None, state.connection.family) or protocol not in (None, state.connection.protocol):
            return Truth.NO
        return [StatementEffect(ALWAYS, state, bound.to, Verdict.REJECT)]

    def _notrack(
        self, table: nft.Table, rule: nft.Rule, statement: nft.Notrack, state: PacketState, bound: Bound
    ) -> Sequence[StatementEffect]:
        if state.tracking is Tracking.NOT_YET:
            state = state._replace(tracking=Tracking.UNTRACKED)
        return [StatementEffect(ALWAYS, state, bound.to)]

    def _idle(
        self, table: nft.Table, rule: nft.Rule, statement: nft.Statement, state: PacketState, bound: Bound
    ) -> Truth:
        return Truth.YES

    def _xtables(
        self, table: nft.Table, rule: nft.Rule, given: nft.Xtables, state: PacketState, bound: Bound
    ) -> Truth | Question | Sequence[StatementEffect]:
        if given.name in _IDLE_XTABLES or given.kind == "watcher":
            return Truth.YES
        if given.kind == "match":
            return ask(state, f"{statement_text(given)} ({_where(rule)})")
        reason = f"what target {given.name} does: nft shows only its name"
        return [StatementEffect(ALWAYS, state, bound.to, Verdict.UNKNOWN, True, reason)]


# The family and the protocol of the packets that each kind of answer is for; None is any.
_ANSWERS_ONLY: dict[str, tuple[Family | None, int | None]] = {
    "icmp": (Family.IPV4, None),
    "icmpv6": (Family.IPV6, None),
    "tcp reset": (None, TCP),
}

# Logs, comments, and changes to headers that rules seldom test.
_IDLE_XTABLES = frozenset({
    "comment", "AUDIT", "CHECKSUM", "CLASSIFY", "CONNSECMARK", "DSCP", "ECN", "HL", "IDLETIMER", "LED", "LOG", "NFLOG",
    "RATEEST", "SECMARK", "TCPMSS", "TCPOPTSTRIP", "TEE", "TOS", "TRACE", "TTL",
})  # fmt: skip

_EFFECTS: dict[type, Callable[..., Any]] = {
    nft.Verdict: Statements._verdict,
    nft.VerdictMap: Statements.verdict_map,
    nft.Nat: Statements._nat,
    nft.Mangle: Statements._mangle,
    nft.SetUpdate: Statements._set_update,
    nft.Reject: Statements._reject,
    nft.Notrack: Statements._notrack,
    nft.Counter: Statements._idle,
    nft.Log: Statements._idle,
    nft.FlowOffload: Statements._idle,
    nft.Aside: Statements._idle,
    nft.Xtables: Statements._xtables,
}


def _failed(found: Found, bound: Bound) -> StatementEffect:
    return StatementEffect(found.share, found.state, bound.to, Flow.CONTINUE, False)


def _where(rule: nft.Rule) -> str:
    """The rule's line, or in JSON, which has no lines, its handle."""
    if rule.source_text is None and rule.handle is not None:
        return f"handle {rule.handle}"
    return f"line {rule.line}"
