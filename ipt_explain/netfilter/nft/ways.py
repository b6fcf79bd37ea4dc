"""What a rule does with packets."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.model import nft
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import Probability
from ipt_explain.netfilter.targets import Flow, Verdict
from ipt_explain.records import NamedTuple, Record


class Leap(Record):
    """A jump to another chain of the table. After a `goto` the packet does not return."""

    chain: str
    goto: bool


_VERDICTS: dict[nft.VerdictKind, Verdict | Flow] = {
    nft.VerdictKind.ACCEPT: Verdict.ACCEPT,
    nft.VerdictKind.DROP: Verdict.DROP,
    nft.VerdictKind.RETURN: Flow.RETURN,
}


def leap_of(statement: object) -> Leap | None:
    """The jump of a statement or of a map's data; None if it leads to no chain."""
    if not isinstance(statement, nft.Verdict) or statement.chain is None:
        return None
    return Leap(statement.chain, statement.kind is nft.VerdictKind.GOTO)


def then_of(verdict: nft.Verdict) -> Verdict | Flow | Leap | None:
    """Where a verdict sends a packet; None for `continue`, after which the rule goes on."""
    return _VERDICTS.get(verdict.kind) if verdict.chain is None else leap_of(verdict)


class Way(Record):
    """What a rule does with a share of packets.

    `then` is the verdict (`ACCEPT` only ends this base chain; those of later priority still run), or the packet returns
    to the calling chain, continues with the next rule, or goes to another chain. `matched` is False if a statement did
    not match, so that later ones did not run. `state` and `to` are the packet's state and destination then; `reason`
    says why a verdict is UNKNOWN.
    """

    share: Probability
    then: Verdict | Flow | Leap
    state: PacketState
    to: Heading
    matched: bool
    reason: str = ""


class Leaps(NamedTuple):
    """Packets that each jump to their own chain. The chains have one layout."""

    chains: tuple[str, ...]
    goto: bool


class CommonWay(NamedTuple):
    """A Way of several packets that differ in their destination, and at most in the chain they go to. `entered`: each
    was added to a list that no rule will test, which its state does not record."""

    share: Probability
    then: Verdict | Flow | Leap | Leaps
    state: PacketState
    to: tuple[Heading, ...]
    matched: bool
    reason: str = ""
    entered: bool = False


class AlikePackets(NamedTuple):
    """Packets, by their places, that rules of one shape treat alike: each takes every way with its share. `spread`: a
    packet's place occurs once for each chain that it may go to."""

    places: Sequence[int]
    ways: Sequence[CommonWay]
    spread: bool = False
