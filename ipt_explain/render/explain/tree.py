"""`explain` for people: each ruleset's header, then each service port as a tree."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.model import Backend, Family
from ipt_explain.render.explain.header import found, header, nothing
from ipt_explain.render.explain.service_tree import service_tree
from ipt_explain.render.explain.service_words import View
from ipt_explain.render.text.outline import Line, Node, draw, sentence
from ipt_explain.render.text.terminal import to_text
from ipt_explain.services.choice import EVERYTHING, Choice, ShownServices
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.health import Health, health
from ipt_explain.services.ports import ProxyMode, RulesetFacts, ServicePort
from ipt_explain.words.counts import counted

_IN_IPVS = "Its Services are IPVS virtual servers, listed below."
# Columns for an endpoint's chain.
_CHAIN_WIDTH = len("  KUBE-SEP-AAAAAAAAAAAAAAAA")
_WIDTHS = {Family.IPV4: 83, Family.IPV6: 106}


def tree(
    explanation: Explanation,
    width: int,
    color: bool,
    total: int | None = None,
    choice: Choice = EVERYTHING,
    links: bool = False,
) -> Iterator[str]:
    """The text, in pieces. `total` is the number of service ports before selection, `choice` says which of them have a
    tree. With `links`, line numbers link to their file.
    """
    return to_text(_lines(explanation, width, total, choice, links), color)


def first_lines(ruleset: RulesetFacts, width: int, color: bool) -> Iterator[str]:
    """The text about the first ruleset, above its Services."""
    return to_text(_header(ruleset, width), color)


def _header(ruleset: RulesetFacts, width: int) -> Iterator[Line]:
    for node in header(ruleset):
        yield from draw(node, width)


def _lines(
    explanation: Explanation, width: int, total: int | None, choice: Choice, links: bool
) -> Iterator[Line]:
    sections = _sections(explanation)
    state: Health | None = None
    for number, (ruleset, services) in enumerate(sections):
        if number:
            yield from ([], [])
        yield from _header(ruleset, width)
        below = any(others or facts.backend is Backend.IPVS for facts, others in sections[number + 1 :])
        state = health(services)
        lines = _services(ruleset, services, state, width, total is not None, choice, below)
        if links:
            from ipt_explain.render.text.links import with_line_links

            lines = with_line_links(lines, ruleset.source)
        yield from lines
    if not explanation.rulesets:
        from ipt_explain.services.absence import IN_NFTABLES, NO_SERVICE

        yield from draw(Node(sentence(f"{NO_SERVICE}: there are no rules. {IN_NFTABLES}.", "unknown")), width)
    number = len(explanation.services)
    if total is not None:
        if total > number:
            yield []
            yield [(f"{number:,} of {counted(total, 'service port')} shown, as selected.", "note")]
        return
    sources = list(dict.fromkeys(ruleset.source for ruleset in explanation.rulesets))
    kept = set(map(id, choice.of(explanation.services)))
    hidden = [service for service in explanation.services if id(service) not in kept]
    if state is None or len(sections) > 1:
        state = health(explanation.services)
    if hidden or not state.well:
        from ipt_explain.render.explain.summary import next_lines

        yield from next_lines(state, sources, hidden, width)


def _services(
    ruleset: RulesetFacts,
    services: list[ServicePort],
    state: Health,
    width: int,
    selected: bool,
    choice: Choice,
    below: bool,
) -> Iterator[Line]:
    if services:
        yield from draw(found(services), width)
    elif not selected:
        yield []
        in_ipvs = below and ruleset.mode is ProxyMode.IPVS
        yield from draw(Node(sentence(_IN_IPVS)) if in_ipvs else nothing(ruleset), width)
    kept = choice.of(services)
    family_width = _WIDTHS[ruleset.family]
    with_summary = not selected and services and (not state.well or len(kept) < len(services))
    view = View(ruleset.form.fragment, width >= family_width + _CHAIN_WIDTH, state if with_summary else None)
    used = min(width, family_width + _CHAIN_WIDTH + 2)
    if with_summary:
        yield []
        from ipt_explain.render.explain.summary import summary

        yield from summary(state, used, everything=choice.shown is ShownServices.PROBLEMS)
    for service in kept:
        yield []
        yield from draw(service_tree(service, view), used)


def _sections(explanation: Explanation) -> list[tuple[RulesetFacts, list[ServicePort]]]:
    """Rulesets with their services."""
    sections: dict[tuple[str, Family, Backend | None], tuple[RulesetFacts, list[ServicePort]]] = {}
    for ruleset in explanation.rulesets:
        sections[ruleset.source, ruleset.family, ruleset.backend] = (ruleset, [])
    for service in explanation.services:
        sections[service.source, service.family, service.backend][1].append(service)
    return list(sections.values())
