"""Walks of connections to Services that show which rules they meet; a Service's fates do not tell that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from ipt_explain.analyzers.fates.vantages import Surroundings
from ipt_explain.audit.context import RulesetContext
from ipt_explain.netfilter.header import parse_address, protocol_number
from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.walk.ends import Finish
from ipt_explain.netfilter.walk.journey import Journey
from ipt_explain.netfilter.walk.packets import Packets
from ipt_explain.services.fates import Vantage
from ipt_explain.services.ports import Frontend, ServicePort

Front: TypeAlias = "tuple[ServicePort, Frontend]"


def followed(
    context: RulesetContext, vantage: Vantage, fronts: Iterable[Front]
) -> Iterator[tuple[Sequence[Front], list[tuple[Finish, Packets]]]]:
    """Where connections to these frontends end, for each protocol: its frontends, and the ends, where packet numbers
    are indexes into those frontends."""
    by_protocol: dict[str, list[Front]] = {}
    for service, frontend in fronts:
        by_protocol.setdefault(service.protocol, []).append((service, frontend))
    for protocol, crowd in by_protocol.items():
        node, around = context.around  # takes time, and mostly there are no such frontends
        journey = Journey(node, [_heading(around, frontend) for _, frontend in crowd])
        journey.begin(around.departure(vantage, protocol_number(protocol) or 0))
        yield crowd, list(journey.ends())


def _heading(around: Surroundings, frontend: Frontend) -> Heading:
    try:
        address = around.with_node_ports if frontend.address is None else parse_address(frontend.address)
    except ValueError:
        address = None  # a network or a name
    return Heading(address, frontend.port)
