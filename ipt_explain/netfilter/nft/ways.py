"""What a rule makes of packets: the ways on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ipt_explain.model.nft import Verdict as Sentence
from ipt_explain.model.nft import VerdictKind
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import Probability
from ipt_explain.netfilter.targets import Flow, Verdict
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class Leap:
    """To another chain of the table. After a `goto` the packet does not come back to this one."""

    chain: str
    goto: bool


_VERDICTS: dict[VerdictKind, Verdict | Flow] = {
    VerdictKind.ACCEPT: Verdict.ACCEPT,
    VerdictKind.DROP: Verdict.DROP,
    VerdictKind.RETURN: Flow.RETURN,
}


def leap_of(statement: object) -> Leap | None:
    """Where a statement, or what a map gives, leads, if to a chain."""
    if not isinstance(statement, Sentence) or statement.chain is None:
        return None
    return Leap(statement.chain, statement.kind is VerdictKind.GOTO)


def then_of(sentence: Sentence) -> Verdict | Flow | Leap | None:
    """Where a verdict sends a packet; None for `continue`, after which the rule goes on."""
    return _VERDICTS.get(sentence.kind) if sentence.chain is None else leap_of(sentence)


@dataclass(frozen=True, slots=True)
class Way:
    """A share of the packets that a rule was asked about, and what it makes of them.

    `then`: the packet's end in this base chain's hook (`ACCEPT` only ends this chain; those of later priority are still
    asked), back to the calling chain, on to the next rule, or into another chain. `matched` is False where a statement
    did not match, so that those after it were not run. `state` and `to` are what the packet is then; `reason` says
    why a verdict is UNKNOWN.
    """

    share: Probability
    then: Verdict | Flow | Leap
    state: PacketState
    to: Heading
    matched: bool
    reason: str = ""


class Leaps(NamedTuple):
    """Each of some packets to a chain of its own; the chains have one layout."""

    chains: tuple[str, ...]
    goto: bool


class CommonWay(NamedTuple):
    """A way that several packets take together, which differ in where they are bound for, and at most in which chain
    they go to. `entered`: each was entered into a list that nobody will ask, of which its state tells nothing."""

    share: Probability
    then: Verdict | Flow | Leap | Leaps
    state: PacketState
    to: tuple[Heading, ...]
    matched: bool
    reason: str = ""
    entered: bool = False


class Alike(NamedTuple):
    """Packets of those asked about, by their places among them, that a rule, or rules of one shape, treat alike: each
    takes every way with its share. `spread`: a packet's place is here once for each chain that it may go to."""

    places: Sequence[int]
    ways: Sequence[CommonWay]
    spread: bool = False
