"""Tracing: a dump and a packet in, outcomes out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from ipt_explain.analyzers.iptables.cluster_ips import is_cluster_ip
from ipt_explain.analyzers.iptables.supposed import with_supposed_chains
from ipt_explain.analyzers.virtual_servers import servers_asked
from ipt_explain.errors import UsageError
from ipt_explain.model import Backend, Dump, Ruleset
from ipt_explain.netfilter.assumptions import Answers, Assumption, share_of_answers
from ipt_explain.netfilter.condition import own_address_question
from ipt_explain.netfilter.header import NO_INTERFACE, format_address
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.naming import with_named_destination
from ipt_explain.netfilter.nat import destination_text
from ipt_explain.netfilter.packet import Bound, PacketState
from ipt_explain.netfilter.probability import Probability, total
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.chains.portions import Portions
from ipt_explain.netfilter.walk.chains.visiting import LOOP, TOO_MUCH
from ipt_explain.netfilter.walk.ends import StoppedReply
from ipt_explain.netfilter.walk.journey import Journey
from ipt_explain.netfilter.walk.replies import Replies
from ipt_explain.netfilter.walk.stages import NodeRules
from ipt_explain.records import replace
from ipt_explain.trace.outcome import Ending, Outcome
from ipt_explain.trace.packet import Packet, node_around
from ipt_explain.trace.result import Trace
from ipt_explain.trace.returning import earlier_visit
from ipt_explain.words import family_name

OutcomeKey = tuple[Verdict, str | None, bool, bool, str, StoppedReply | None, Answers]


def trace(
    dump: Dump,
    packet: Packet,
    local_addresses: Iterable[str] = (),
    out_interface: str | None = None,
    returning: str | None = None,
    assume: Iterable[str] = (),
) -> Trace:
    """Where a packet ends up.

    `local_addresses` are the node's own. Without them, it is an open question whether a destination is local, where
    rules or routing need to know, also for an endpoint on a host network where rules may stop packets. Whatever else
    NAT chooses counts as another machine's, and a ClusterIP as nobody's (kube-proxy in iptables mode assigns it to no
    interface). `returning` is an endpoint (`IP:PORT`) that the client was sent to before, so its affinity record
    exists. `assume` answers questions, as `TEXT=yes` or `TEXT=no`. Raises UsageError for an impossible packet, or one
    of a family without rules in the dump.
    """
    completed = [with_supposed_chains(ruleset) for ruleset in _rulesets_for(dump, packet)]
    rulesets = [ruleset for ruleset, _ in completed]
    supposed = [note for _, notes in completed for note in notes]
    connection = packet.connection()
    local_addresses = tuple(local_addresses)
    sent = packet.heading()
    assert isinstance(sent.address, int)
    destination = format_address(sent.address, connection.family)
    if not local_addresses and _is_cluster_ip(dump, rulesets, destination):
        assume = (*assume, f"{own_address_question(sent.address, connection.family)}=no")
    start = PacketState(
        connection=connection,
        node=node_around(connection.family, local_addresses, out_interface, assume, dump.node),
        hook=Hook.OUTPUT if connection.local else Hook.PREROUTING,
        source=connection.source,
        source_port=connection.source_port,
        in_interface=NO_INTERFACE if connection.local else connection.in_interface,
    )
    if returning is not None:
        start = start._replace(visits=earlier_visit(rulesets, returning, connection.source, dump.nft))
    node = NodeRules(rulesets, packet.family, dump.nft, servers_asked(dump.node))
    if not local_addresses and not dump.node:
        from ipt_explain.trace.host_endpoints import doubtful_addresses

        doubtful = doubtful_addresses(dump, packet.family, node)
        start = start._replace(node=replace(start.node, doubtful_addresses=doubtful))
    journey = Journey(node, (sent,))
    journey.begin(start)
    ends = [
        (replace(finish, state=with_named_destination(finish.state, sent)), packets)
        for finish, packets in journey.ends()
    ]
    endings = tuple(
        Ending(finish, to, share, packets, row)
        for finish, packets in Replies(node).checked(ends, (sent,))
        for row, (to, share) in enumerate(zip(packets.to, packets.shares))
    )
    outcomes = _outcomes(endings, [*supposed, *journey.supposed])
    return Trace(packet, outcomes, _warnings(journey), start, Bound(sent, sent), endings, dump)


@lru_cache(maxsize=4096)
def _assumption(answer: Assumption) -> str:
    """An assumption, as --assume reads it."""
    return f"{answer.question}={'yes' if answer.affirmed else 'no'}"


def _is_cluster_ip(dump: Dump, rulesets: Iterable[Ruleset], destination: str) -> bool:
    if dump.nft is not None:
        from ipt_explain.analyzers.nftables.frontends import is_cluster_ip as is_one_in_nftables

        if is_one_in_nftables(dump.nft, destination):
            return True
    return any(is_cluster_ip(ruleset, destination) for ruleset in rulesets)


def _rulesets_for(dump: Dump, packet: Packet) -> list[Ruleset]:
    """The rulesets that the packet passes: those of its family, legacy before nft."""
    chosen = [ruleset for ruleset in dump.rulesets if ruleset.family is packet.family]
    backends = [ruleset.backend for ruleset in chosen]
    if len(backends) != len(set(backends)):
        sources = ", ".join(dict.fromkeys(ruleset.source for ruleset in chosen))
        raise UsageError(f"a packet passes one node at a time, and these have rules of more than one: {sources}")
    if not chosen and dump.rulesets and dump.nft is None:
        family = family_name(packet.family.value)
        why = next((f" ({each.name} failed)" for each in dump.failed if packet.family in each.families), "")
        raise UsageError(f"the dump has no {family} rules{why}, and {packet.destination} is {family}")
    return sorted(chosen, key=lambda ruleset: ruleset.backend is Backend.NFT)


def _warnings(journey: Journey) -> tuple[str, ...]:
    """Warnings about loops and endless work, which no kernel accepts."""
    reasons = dict.fromkeys(finish.reason for finish, _ in journey.ends() if finish.reason)
    return tuple(f"not followed: {reason}" for reason in reasons if reason == TOO_MUCH or reason.startswith(LOOP))


class _Merged(Portions[OutcomeKey, list[Ending]]):
    """Outcomes by what a reader sees of them, each with its endings."""

    def gather(self, key: OutcomeKey, share: Probability, via: list[Ending]) -> None:
        """Add endings."""
        held = self.get(key)
        if held is not None and held.via is not via:
            held.via.extend(via)
            held.share = total(held.share, share)
        else:
            super().gather(key, share, via)


def _outcomes(endings: Sequence[Ending], supposed: Sequence[str]) -> tuple[Outcome, ...]:
    """Merge endings that differ only in their path into outcomes, and drop questions that did not matter."""
    merged = _Merged()
    for ending in endings:
        merged.gather(_key(ending), ending.share, [ending])
    merged.forget_idle_answers(lambda key: key[-1], lambda key, answers: (*key[:-1], answers))
    noted = tuple(supposed)
    outcomes = []
    for (verdict, dnat, masqueraded, delivered, reason, reply, answers), portion in merged.items():
        assumptions = tuple(map(_assumption, answers))
        outcomes.append(
            Outcome(
                probability=float(portion.share),
                verdict=verdict.value,
                dnat=dnat,
                masqueraded=masqueraded,
                assumptions=assumptions + ((reason,) if verdict is Verdict.UNKNOWN else ()) + noted,
                exact=portion.share,
                weight=share_of_answers(answers),
                endings=tuple(sorted(portion.via, key=lambda ending: -ending.share)),
                delivered=delivered if verdict is Verdict.ACCEPT else None,
                reason=reason,
                reply=reply,
            )
        )
    return tuple(sorted(outcomes, key=_order))


def _key(ending: Ending) -> OutcomeKey:
    finish, state, stopped = ending.finish, ending.state, ending.verdict in (Verdict.DROP, Verdict.REJECT)
    dnat = destination_text(ending.to, state.connection.family) if state.dnat and not stopped else None
    masqueraded = state.source_decided and not stopped
    return finish.verdict, dnat, masqueraded, finish.delivered, finish.reason, finish.reply, state.answers


def _order(outcome: Outcome) -> tuple[float, str, str, tuple[str, ...]]:
    # Chances that differ by the kernel's rounding alone count as equal; untranslated connections then come first.
    return -round(outcome.probability, 8), outcome.dnat or "", outcome.verdict, outcome.assumptions
