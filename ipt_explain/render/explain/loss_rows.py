"""Rows of a tree about connections that do not reach a service port's endpoints: other rules, open questions."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.render.explain.service_rows import View, row
from ipt_explain.render.explain.summary import from_words, lost_words, questions_words, reason_words
from ipt_explain.render.text.outline import Node, sentence
from ipt_explain.render.text.safe import escape
from ipt_explain.services.fates import Lost, Vantage
from ipt_explain.services.health import answered, losses_by_frontend, questions
from ipt_explain.services.ports import Balancer, FrontendKind, ServicePort, ServiceState


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
