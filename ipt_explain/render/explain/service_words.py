"""Words and rows for a service port's properties, shared by tree and table."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.analyzers.names import CommentKind, read_comment
from ipt_explain.model import Backend
from ipt_explain.records import dataclass
from ipt_explain.render.text.outline import Node, Span
from ipt_explain.render.text.safe import escape
from ipt_explain.services.evidence import Evidence
from ipt_explain.services.health import Health
from ipt_explain.services.ports import (
    Frontend,
    FrontendKind,
    FrontendVerdict,
    ServicePort,
    ServiceState,
    TrafficPolicy,
)
from ipt_explain.words import address_port

KIND_WORDS = {
    FrontendKind.CLUSTER_IP: "ClusterIP",
    FrontendKind.EXTERNAL_IP: "ExternalIP",
    FrontendKind.LOAD_BALANCER: "LoadBalancer",
    FrontendKind.EXTERNAL: "External",
    FrontendKind.NODE_PORT: "NodePort",
}

STATE_WORDS = {
    ServiceState.SERVING: ("serving", "good"),
    ServiceState.NO_ENDPOINTS: ("no endpoints", "bad"),
    ServiceState.NO_LOCAL_ENDPOINTS: ("no local endpoints", "bad"),
    ServiceState.DEGRADED: ("loses connections", "bad"),
    ServiceState.UNMATCHED: ("not translated", "bad"),
    ServiceState.DIVERTED: ("sent elsewhere", "bad"),
    ServiceState.BLOCKED: ("blocked", "bad"),
    ServiceState.UNKNOWN: ("unknown", "unknown"),
}

_EVERYWHERE = ("0.0.0.0/0", "::/0")


def joined_address(address: str | None, port: int | None) -> str:
    """`10.0.0.1:80`, `[fd00::1]:80`; `*` without an address, as for a node port."""
    return escape(address_port("*" if address is None else address, port))


def frontend_address(frontend: Frontend) -> str:
    """What a client connects to; only the port for a node port."""
    if frontend.kind is FrontendKind.NODE_PORT:
        return str(frontend.port)
    return joined_address(frontend.address, frontend.port)


def verdict_words(service: ServicePort, frontend: Frontend) -> Span | None:
    """What happens to a new connection to a frontend, unless it is balanced."""
    verdict = frontend.verdict
    if verdict is FrontendVerdict.REJECT:
        return f"REJECTED: {_reason(service, frontend)}", "bad"
    if verdict is FrontendVerdict.DROP:
        return f"DROPPED: {_reason(service, frontend)}", "bad"
    if verdict is FrontendVerdict.UNMATCHED:
        if service.backend is Backend.IPVS:
            return "NOT SERVED: no virtual server", "bad"
        return "NOT TRANSLATED: no rule matches", "bad"
    if verdict is FrontendVerdict.UNKNOWN:
        lacking = "server is" if service.backend is Backend.IPVS else "rules are"
        return f"unknown: its {lacking} not here", "unknown"
    return None


def _reason(service: ServicePort, frontend: Frontend) -> str:
    """Why connections are refused: by the rule's comment, else by the service's state and policy."""
    comment = frontend.rule.comment if isinstance(frontend.evidence, Evidence) else None
    kind = read_comment(comment or "")[1]
    if kind in (CommentKind.NO_ENDPOINTS, CommentKind.NO_LOCAL_ENDPOINTS):
        return str(kind.value).removeprefix(" has ")
    if service.state is ServiceState.NO_ENDPOINTS or frontend.verdict is FrontendVerdict.REJECT:
        return "no endpoints"
    policy = service.internal_policy if frontend.kind is FrontendKind.CLUSTER_IP else service.external_policy
    if policy is TrafficPolicy.LOCAL or not service.endpoints:
        return "no local endpoints"
    return "by a rule of the filter table"


def ranges_words(frontend: Frontend) -> str:
    """The sources that a load balancer's address admits; "" if it admits all."""
    ranges = frontend.source_ranges
    if not ranges or any(source in _EVERYWHERE for source in ranges):
        return ""
    return f"only from {', '.join(map(escape, ranges))}"


LABEL_WIDTH = 14


@dataclass(frozen=True, slots=True)
class View:
    """How to show services. `fragment`: what is absent is unknown. `chains`: there is room for endpoints' chains.
    `above`: the node's health, if it is printed above them.
    """

    fragment: bool
    chains: bool
    above: Health | None = None


def row(label: str, words: Sequence[Span], tail: str = "", children: Sequence[Node] = ()) -> Node:
    """A row: its label in a column of its own, then the words."""
    return Node([(label.ljust(LABEL_WIDTH), "label"), *words], tail, LABEL_WIDTH, list(children))
