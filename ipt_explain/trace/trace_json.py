"""A trace as JSON, schema `ipt-explain/trace/1`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ipt_explain.netfilter.header import protocol_name
from ipt_explain.netfilter.walk.path import AnyStep
from ipt_explain.trace.judgement import Addressee, Judgement, To, judged
from ipt_explain.trace.obstacle import WhyNot
from ipt_explain.trace.outcome import Outcome
from ipt_explain.trace.packet import Packet

SCHEMA = "ipt-explain/trace/1"
_MOST_BRANCHES = 100


def trace_json(
    packet: Packet,
    outcomes: Iterable[Outcome],
    warnings: Iterable[str],
    why_not: WhyNot | None = None,
    to: To = None,
) -> str:
    """A trace as indented JSON, ASCII only, with the answer to `why_not` if given. `to` is the destination Service."""
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "packet": {
            "family": packet.family.value,
            "protocol": protocol_name(packet.connection().protocol),
            "source": packet.source,
            "destination": packet.destination,
            "port": packet.port,
            "entry": packet.entry,
            "in_interface": packet.in_interface,
        },
        "service": to.service.label if isinstance(to, Addressee) else None,
        "outcomes": [_outcome(outcome, judged(outcome, packet, to), to) for outcome in outcomes],
        "warnings": list(warnings),
    }
    if why_not is not None:
        data["why_not"] = _why_not(why_not)
    return json.dumps(data, indent=2)


def _outcome(outcome: Outcome, judgement: Judgement, to: To) -> dict[str, Any]:
    reply = outcome.reply
    stopped = {} if reply is None else {"reply": {"verdict": reply.verdict.value, "path": _path(reply.path.steps())}}
    placement = to.placement_of(outcome.dnat) if isinstance(to, Addressee) else None
    placed = {} if placement is None else {"pod": placement.pod, "node": placement.node, "zone": placement.zone}
    return {
        "judgement": judgement.value,
        "probability": outcome.probability,
        "verdict": outcome.verdict,
        "dnat": outcome.dnat,
        "masqueraded": outcome.masqueraded,
        "delivered": outcome.delivered,
        "assumptions": list(outcome.assumptions),
        "reason": outcome.reason or None,
        "probability_if_so": outcome.probability_if_so,
        "path": _path(outcome.path),
        **placed,
        **stopped,
        "branches": [
            {"probability": float(ending.share), "path": _path(ending.steps)}
            for ending in outcome.endings[:_MOST_BRANCHES]
            if len(outcome.endings) > 1
        ],
    }


def _path(steps: Iterable[AnyStep]) -> list[dict[str, Any]]:
    return [{"table": step.table, "chain": step.chain.name, "line": step.line, "rule": step.text} for step in steps]


def _why_not(why_not: WhyNot) -> dict[str, Any]:
    return {
        "endpoint": why_not.endpoint,
        "probability": why_not.probability,
        "reasons": [
            {
                "obstacle": reason.obstacle.name.lower().replace("_", "-"),
                "table": reason.table,
                "chain": reason.chain,
                "line": reason.line,
                "rule": reason.rule,
                "condition": reason.condition,
            }
            for reason in why_not.reasons
        ],
    }
