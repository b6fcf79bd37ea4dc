"""Words and rows for a service port's properties and its lost connections, shared by tree and table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ipt_explain.analyzers.names import CommentKind, read_comment
from ipt_explain.model import Backend
from ipt_explain.records import Record
from ipt_explain.render.text.outline import Span, TreeNode, line_tail, sentence
from ipt_explain.render.text.safe import escape
from ipt_explain.services.evidence import Evidence
from ipt_explain.services.fates import NOT_TRANSLATED, Loss, Lost, Vantage, depending_on
from ipt_explain.services.health import Health
from ipt_explain.services.losses import answered, losses, open_questions, reasons
from ipt_explain.services.ports import (
    Balancer,
    Frontend,
    FrontendKind,
    FrontendVerdict,
    Placement,
    ServicePort,
    ServiceState,
    TrafficPolicy,
)
from ipt_explain.words import address_port, aside, both, listed
from ipt_explain.words.percents import part_of

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


def placement_words(placement: Placement | None) -> str:
    """`coredns-abc on node-a (zone z1)`, or as much as is known: an endpoint's pod, or a dump's node."""
    if placement is None:
        return ""
    pod = (placement.pod or "").rpartition("/")[2]
    zone = f"zone {placement.zone}" if placement.zone else ""
    node = f"{placement.node}{aside([zone])}" if placement.node else zone
    return " on ".join(filter(None, (pod, node)))


def frontend_address(frontend: Frontend) -> str:
    """What a client connects to; only the port for a node port."""
    if frontend.kind is FrontendKind.NODE_PORT:
        return str(frontend.port)
    return joined_address(frontend.address, frontend.port)


def verdict_words(service: ServicePort, frontend: Frontend) -> Span | None:
    """What happens to a new connection to a frontend, unless it is balanced."""
    verdict = frontend.verdict
    if verdict is FrontendVerdict.REJECT:
        return f"REJECTED: {refusal(service, frontend)}", "bad"
    if verdict is FrontendVerdict.DROP:
        return f"DROPPED: {refusal(service, frontend)}", "bad"
    if verdict is FrontendVerdict.UNMATCHED:
        if service.backend is Backend.IPVS:
            return "NOT SERVED: no virtual server", "bad"
        return "NOT TRANSLATED: no rule matches", "bad"
    if verdict is FrontendVerdict.UNKNOWN:
        lacking = "server is" if service.backend is Backend.IPVS else "rules are"
        return f"unknown: its {lacking} not here", "unknown"
    return None


def refusal(service: ServicePort, frontend: Frontend) -> str:
    """Why a Service refuses connections: by the rule's comment, else by the service's state and policy."""
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


class View(Record):
    """How to show services. `fragment`: what is absent is unknown. `chains`: there is room for endpoints' chains.
    `above`: the node's health, if it is printed above them."""

    fragment: bool
    chains: bool
    above: Health | None = None


def row(label: str, words: Sequence[Span], tail: str = "", children: Sequence[TreeNode] = ()) -> TreeNode:
    """A row: its label in a column of its own, then the words."""
    return TreeNode([(label.ljust(LABEL_WIDTH), "label"), *words], tail, LABEL_WIDTH, list(children))


_MOST_QUESTIONS = 3
HOW = {
    Loss.UNTRANSLATED: "not translated",
    Loss.DIVERTED: "sent elsewhere",
    Loss.INTERCEPTED: "answered by another program",
    Loss.DROPPED: "dropped",
    Loss.REJECTED: "rejected",
    Loss.UNANSWERED: "cut off",
    Loss.UNKNOWN: "unknown",
}
# Reasons that the words for the loss imply.
EVIDENT = {*HOW.values(), NOT_TRANSLATED}


def loss_rows(service: ServicePort, view: View) -> Iterator[TreeNode]:
    """Losses by rules outside the Service's own chains; if its state is unknown, what it depends on. Causes that affect
    the whole node are explained there."""
    own = {balancer.chain for balancer in service.balancers}
    frontends = {front.kind for front in service.frontends if front.fates is not None}
    alike: dict[object, tuple[Lost, dict[FrontendKind, None], dict[Vantage, None]]] = {}
    for frontend, vantage, lost in losses(service):
        if lost.decider.chain in own:
            continue
        key = lost.how, round(lost.probability, 6), lost.dnat, lost.decider
        _, kinds, vantages = alike.setdefault(key, (lost, {}, {}))
        kinds[frontend.kind] = None
        vantages[vantage] = None
    for lost, kinds, vantages in alike.values():
        words = lost_words(lost, list(vantages), () if len(kinds) == len(frontends) else kinds)
        of_node = view.above is not None and view.above.explains(service, lost)
        why = ": see NODE" if of_node else _reason_words(lost)
        yield row("lost", sentence(f"{words}{why}", "bad"), line_tail(lost.decider.line))
    yield from _answered(service)
    unknown = service.state is ServiceState.UNKNOWN
    open_ones = list(dict.fromkeys(open_questions(service))) if unknown else []
    because = reasons(service) if unknown else ()
    if open_ones or because:
        doubt = view.above.doubt if view.above is not None else None
        of_node = doubt is not None and (doubt.questions, doubt.reasons) == (tuple(open_ones), because)
        words = "what this input does not show: see NODE" if of_node else questions_words(open_ones, because)
        yield row("depends on", sentence(words, "unknown"), line_tail(asking_line(service)))


def asking_line(service: ServicePort) -> int | None:
    """The first rule that may lose connections, depending on an open question."""
    fates = (fate for front in service.frontends if front.fates is not None for _, fate in front.fates.items())
    return next((lost.decider.line for fate in fates for lost in fate.perhaps if lost.decider.line), None)


def _answered(service: ServicePort) -> Iterator[TreeNode]:
    """Connections that another program answers, and the rule that diverts them."""
    alike: dict[Lost, dict[Vantage, None]] = {}
    for vantage, lost in answered(service):
        alike.setdefault(lost, {})[vantage] = None
    for lost, vantages in alike.items():
        decider = lost.decider
        who = f"{escape(decider.owner or 'another program')} ({escape(decider.place)})"
        yield row("answered", sentence(f"connections{from_words(list(vantages))}, by {who}"), line_tail(decider.line))


def leak_line(service: ServicePort, balancer: Balancer) -> int | None:
    """The line where a balancer leaves connections untranslated, if a fate names it."""
    lines = (lost.decider.line for _, _, lost in losses(service) if lost.decider.chain == balancer.chain)
    return next(lines, None)


def lost_words(lost: Lost, vantages: Sequence[Vantage], by: Collection[FrontendKind]) -> str:
    """`10 % of connections are not translated`, `NodePort connections from outside are dropped`: `by` names the
    affected kinds of frontends if not all are."""
    where = f" to {escape(lost.dnat)}" if lost.how is Loss.DIVERTED and lost.dnat else ""
    how = f"sent{where}" if where else HOW[lost.how]
    return f"{part_of(lost.probability)}{by_words(by)}connections{from_words(vantages)} are {how}"


def by_words(kinds: Collection[FrontendKind]) -> str:
    """The kinds of frontends that are affected: `NodePort `; "" for all."""
    return f"{both([KIND_WORDS[kind] for kind in KIND_WORDS if kind in kinds])} " if kinds else ""


def _reason_words(lost: Lost) -> str:
    """Where a loss is decided, and why, if that adds anything: ` by filter FORWARD`, `: in nat PREROUTING, …`."""
    place = escape(lost.decider.place)
    if lost.why in EVIDENT or lost.why == f"sent to {lost.dnat}":
        by = "in" if lost.how is Loss.UNTRANSLATED else "by"
        return f" {by} {place}" if place else ""
    if lost.decider.chain is not None and lost.why.startswith(f"{lost.decider.chain} "):
        return f": {escape(lost.why)}"
    return f": in {place}, {escape(lost.why)}" if place else f": {escape(lost.why)}"


def from_words(vantages: Sequence[Vantage]) -> str:
    """` from pods and the node`; "" for everywhere."""
    if len(set(vantages)) == len(Vantage):
        return ""
    return f" from {both([vantage.origin for vantage in Vantage if vantage in vantages])}"


def questions_words(questions: Sequence[str], reasons: Sequence[str]) -> str:
    """The first open questions, and reasons: "`-i cali+`, `-o cali+` and 3 more"."""
    return listed([*map(question_words, questions), *map(escape, reasons)], _MOST_QUESTIONS)


def question_words(question: str) -> str:
    """A question after "depends on": `whether 10.0.0.1 is …`."""
    return escape(depending_on(question))
