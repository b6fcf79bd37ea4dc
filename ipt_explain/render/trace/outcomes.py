"""An outcome of a trace in words: what it means for the client, and which Service fails and why."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.netfilter.header import network_bits, parse_address
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.ends import StoppedReply
from ipt_explain.services.fates import Loss, Lost
from ipt_explain.services.ports import FrontendVerdict
from ipt_explain.trace.judgement import Addressee, ClosedPort, Judgement, To
from ipt_explain.trace.outcome import Outcome
from ipt_explain.trace.packet import Packet
from ipt_explain.words import aside, listed

VERDICTS = {"ACCEPT": "accepted", "DROP": "dropped", "REJECT": "rejected", "UNKNOWN": "unknown"}
_FAILED = ("✗", "bad")
SIGNS = {
    Judgement.SERVED: ("✓", "good"),
    Judgement.REFUSED: _FAILED,
    Judgement.DROPPED: _FAILED,
    Judgement.UNTRANSLATED: _FAILED,
    Judgement.DIVERTED: _FAILED,
    Judgement.UNANSWERED: _FAILED,
    Judgement.HANGS: _FAILED,
    Judgement.UNKNOWN: ("?", "unknown"),
}

_LOSSES = {
    Judgement.UNTRANSLATED: Loss.UNTRANSLATED,
    Judgement.DIVERTED: Loss.DIVERTED,
    Judgement.DROPPED: Loss.DROPPED,
}

_NOT_SERVED = {*_LOSSES, Judgement.REFUSED}
_MOST_PORTS = _MOST_RANGES = 6

_DONE = {Loss.DROPPED: "drops", Loss.REJECTED: "rejects"}


def outcome_words(outcome: Outcome, judgement: Judgement, packet: Packet, to: To) -> str:
    """One outcome in a line."""
    if outcome.verdict == "UNKNOWN":
        reached = f" after DNAT to {outcome.dnat}" if outcome.dnat else ""
        return f"unknown{reached}: {outcome.reason}"
    if judgement is Judgement.DROPPED:
        return f"dropped{_because(outcome)}: the client times out"
    if judgement is Judgement.REFUSED:
        return f"rejected{_because(outcome)}: the client is told at once"
    if judgement is Judgement.UNTRANSLATED and outcome.delivered:
        where = "" if packet.port is None else f" on port {packet.port}"
        return f"NOT TRANSLATED: delivered to the node itself, which refuses it unless a program there listens{where}"
    answering = _decisive(to, Loss.INTERCEPTED) if isinstance(to, Addressee) else None
    if judgement is Judgement.UNTRANSLATED and answering is not None:
        return (
            f"NOT TRANSLATED: {answering.why} if {packet.destination} is an address of this node; "
            f"--local-address {packet.destination} says that it is"
        )
    if judgement is Judgement.UNTRANSLATED:
        return f"NOT TRANSLATED: leaves for {packet.destination}, an address that no host has; the client times out"
    if judgement is Judgement.HANGS:
        return f"{outcome.dnat} is the client itself, and the connection is not masqueraded: it hangs"
    where = outcome.dnat or "destination unchanged"
    placement = to.placement_of(outcome.dnat) if isinstance(to, Addressee) else None
    if placement is not None:
        from ipt_explain.render.explain.service_words import placement_words

        where = ", ".join(filter(None, (where, placement_words(placement))))
    if judgement is Judgement.DIVERTED:
        where = f"SENT ELSEWHERE, to {outcome.dnat}, which is not an endpoint of this Service"
    if outcome.reply is not None:
        what = "the reply" if outcome.reply.is_reply else "what follows the reply"
        return f"{where}: accepted, but {_stop(outcome.reply)} {what}; the client times out"
    delivered = "delivered to the node itself" if outcome.delivered else "accepted"
    return f"{where}: {delivered}, {'masqueraded' if outcome.masqueraded else 'source kept'}"


_DOES = {
    Verdict.DROP: "drops",
    Verdict.REJECT: "rejects",
    Verdict.ACCEPT: "keeps connection tracking from recognising",
}


def _stop(reply: StoppedReply) -> str:
    """Who stops a reply, and how: `filter FORWARD (line 27) drops`."""
    does = _DOES[reply.verdict]
    step = reply.step
    if step is None:
        return f"the node {does}"
    return f"{step.table} {step.chain.name}{aside([f'line {step.line}'] if step.line else [])} {does}"


def _because(outcome: Outcome) -> str:
    """Why the kernel itself stops a packet; "" if a rule or policy does."""
    return f", as {outcome.reason}" if outcome.reason else ""


def failure_words(judgement: Judgement, packet: Packet, to: To) -> Iterator[str]:
    """Which Service fails, and why: its address lacks the port, it has no endpoints, it does not admit the client, or a
    rule decides: then also where it would lead."""
    if isinstance(to, ClosedPort) and judgement in _NOT_SERVED:
        ports = {f"{each.port}/{each.protocol}{aside([each.label] if each.name else [])}" for each in to.services}
        yield f"{to.services[0].cluster_ip} has only {listed(sorted(ports), _MOST_PORTS)}"
    if not isinstance(to, Addressee):
        return
    if judgement in _NOT_SERVED and to.frontend.verdict in (FrontendVerdict.REJECT, FrontendVerdict.DROP):
        from ipt_explain.render.explain.service_words import refusal

        yield f"{to.service.label} refuses it: {refusal(to.service, to.frontend)}"
        return
    ranges = to.frontend.source_ranges
    if judgement in _NOT_SERVED and ranges and not any(_contains(each, packet.source) for each in ranges):
        yield f"{to.service.label} admits only {listed(ranges, _MOST_RANGES)}"
        return
    if judgement not in _LOSSES or not to.service.endpoints:
        return
    lost = _decisive(to, _LOSSES[judgement])
    if lost is None and judgement is Judgement.UNTRANSLATED:
        lost = _decisive(to, Loss.INTERCEPTED)
    why = "" if lost is None else f", but {_reason(lost)}"
    yield f"{to.service.label} would lead to {to.endpoints}{why}"


def _contains(network: str, address: str) -> bool:
    """Whether an address is in a network; yes if the network is a name, which may be any."""
    try:
        bits, mask = network_bits(network)
    except ValueError:
        return True
    return parse_address(address) & mask == bits


def _decisive(to: Addressee, how: Loss) -> Lost | None:
    if to.frontend.fates is None:
        return None
    losses = (lost for _, fate in to.frontend.fates.items() for lost in fate.lost if lost.how is how)
    return next(losses, None)


def _reason(lost: Lost) -> str:
    decider = lost.decider
    where = decider.place
    if not where:
        return lost.why
    line = f" (line {decider.line})" if decider.line is not None else ""
    if lost.how in _DONE:
        return f"{where}{line} {_DONE[lost.how]} it"
    if decider.chain is not None and lost.why.startswith(f"{decider.chain} "):
        return f"{where}{line}{lost.why.removeprefix(decider.chain)}"
    return f"in {where}{line} {lost.why}"
