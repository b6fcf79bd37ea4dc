"""Connections that do not reach a service port's endpoints, in words and as rows: other rules, open questions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ipt_explain.render.explain.service_words import KIND_WORDS, View, row
from ipt_explain.render.text.outline import Node, sentence
from ipt_explain.render.text.safe import escape
from ipt_explain.services.fates import NOT_TRANSLATED, Loss, Lost, Vantage
from ipt_explain.services.health import answered, losses_by_frontend, questions
from ipt_explain.services.ports import Balancer, FrontendKind, ServicePort, ServiceState
from ipt_explain.words import both, listed
from ipt_explain.words.percents import percent

_MOST_QUESTIONS = 3
HOW = {
    Loss.UNTRANSLATED: "not translated",
    Loss.DIVERTED: "sent elsewhere",
    Loss.INTERCEPTED: "answered by a neighbour",
    Loss.DROPPED: "dropped",
    Loss.REJECTED: "rejected",
    Loss.UNANSWERED: "cut off",
    Loss.UNKNOWN: "unknown",
}
# Reasons that the words for the loss imply.
EVIDENT = {*HOW.values(), NOT_TRANSLATED}


def loss_rows(service: ServicePort, view: View) -> Iterator[Node]:
    """Losses by rules outside the Service's own chains; if its state is unknown, what it depends on. Causes that affect
    the whole node are explained there.
    """
    own = {balancer.chain for balancer in service.balancers}
    frontends = {front.kind for front in service.frontends if front.fates is not None}
    alike: dict[object, tuple[Lost, dict[FrontendKind, None], dict[Vantage, None]]] = {}
    for frontend, vantage, lost in losses_by_frontend(service):
        if lost.decider.chain in own:
            continue
        key = lost.how, round(lost.probability, 6), lost.dnat, lost.decider
        _, kinds, vantages = alike.setdefault(key, (lost, {}, {}))
        kinds[frontend.kind] = None
        vantages[vantage] = None
    for lost, kinds, vantages in alike.values():
        words = lost_words(lost, list(vantages), () if len(kinds) == len(frontends) else kinds)
        line = lost.decider.line
        of_node = view.above is not None and view.above.explains(service, lost)
        why = ": see NODE" if of_node else reason_words(lost)
        yield row("lost", sentence(f"{words}{why}", "bad"), "" if line is None else f"line {line}")
    yield from _answered(service)
    open_ones = list(dict.fromkeys(questions(service))) if service.state is ServiceState.UNKNOWN else []
    if open_ones:
        yield row("depends on", sentence(questions_words(open_ones), "unknown"))


def _answered(service: ServicePort) -> Iterator[Node]:
    """Connections that another program answers, and the rule that diverts them."""
    alike: dict[Lost, dict[Vantage, None]] = {}
    for vantage, lost in answered(service):
        alike.setdefault(lost, {})[vantage] = None
    for lost, vantages in alike.items():
        line = lost.decider.line
        where = " ".join(escape(part) for part in (lost.decider.table, lost.decider.chain) if part)
        words = f"connections{from_words(list(vantages))}, by {escape(lost.decider.owner or 'a neighbour')} ({where})"
        yield row("answered", sentence(words), "" if line is None else f"line {line}")


def leak_line(service: ServicePort, balancer: Balancer) -> int | None:
    """The line where a balancer leaves connections untranslated, if a fate names it."""
    lines = (lost.decider.line for _, _, lost in losses_by_frontend(service) if lost.decider.chain == balancer.chain)
    return next(lines, None)


def lost_words(lost: Lost, vantages: Sequence[Vantage], by: Collection[FrontendKind] = ()) -> str:
    """`10 % of connections are not translated`, `NodePort connections from outside are dropped`: `by` names the
    affected kinds of frontends if not all are."""
    share = "" if lost.probability > 1 - 1e-9 else f"{percent(lost.probability)} of "
    where = f" to {escape(lost.dnat)}" if lost.how is Loss.DIVERTED and lost.dnat else ""
    how = f"sent{where}" if where else HOW[lost.how]
    return f"{share}{by_words(by)}connections{from_words(vantages)} are {how}"


def by_words(kinds: Collection[FrontendKind]) -> str:
    """The kinds of frontends that are affected: `NodePort `; "" for all."""
    return f"{both([KIND_WORDS[kind] for kind in KIND_WORDS if kind in kinds])} " if kinds else ""


def reason_words(lost: Lost) -> str:
    """Where a loss is decided, and why, if that adds anything: ` by filter FORWARD`, `: in nat PREROUTING, …`."""
    decider = lost.decider
    place = " ".join(escape(part) for part in (decider.table, decider.chain) if part)
    if lost.why in EVIDENT:
        by = "in" if lost.how is Loss.UNTRANSLATED else "by"
        return f" {by} {place}" if place else ""
    return f": in {place}, {escape(lost.why)}" if place else f": {escape(lost.why)}"


def from_words(vantages: Sequence[Vantage]) -> str:
    """` from pods and the node`; "" for everywhere."""
    if len(set(vantages)) == len(Vantage):
        return ""
    return f" from {both([vantage.origin for vantage in Vantage if vantage in vantages])}"


def questions_words(questions: Sequence[str]) -> str:
    """The first open questions: "`-i cali+`, `-o cali+` and 3 more"."""
    return listed((f"`{escape(question)}`" for question in questions), _MOST_QUESTIONS)
