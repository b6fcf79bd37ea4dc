"""`explain` for people: each ruleset's header, then each service port as a tree."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.analyzers.facts import Explanation, RulesetFacts, ServicePort
from ipt_explain.model import Family, Form
from ipt_explain.render.header import found, header, nothing
from ipt_explain.render.outline import Line, draw
from ipt_explain.render.service_tree import View, service_tree
from ipt_explain.render.terminal import to_text
from ipt_explain.render.words import plural

# Room for an endpoint's chain beside all else that is said of it.
_CHAIN_WIDTH = len("  KUBE-SEP-AAAAAAAAAAAAAAAA")
_WIDTHS = {Family.IPV4: 83, Family.IPV6: 106}


def tree(explanation: Explanation, width: int, color: bool, total: int | None = None) -> Iterator[str]:
    """The text, in pieces. `total` is how many service ports there were before some were selected."""
    return to_text(_lines(explanation, width, total), color)


def _lines(explanation: Explanation, width: int, total: int | None) -> Iterator[Line]:
    sections = _sections(explanation)
    for number, (rulesets, services) in enumerate(sections):
        if number:
            yield from ([], [])
        for ruleset in rulesets:
            for node in header(ruleset):
                yield from draw(node, width)
        yield from _services(rulesets, services, width, total is not None)
    if not sections:
        yield [("No rules at all: the input is empty.", "unknown")]
    shown = len(explanation.services)
    if total is not None and total > shown:
        yield []
        yield [(f"{shown:,} of {plural(f'{total:,}', 'service port')} shown, as selected.", "note")]


def _services(rulesets: list[RulesetFacts], services: list[ServicePort], width: int, selected: bool) -> Iterator[Line]:
    if not services and not selected:
        yield []
        for ruleset in rulesets:
            yield from draw(nothing(ruleset), width)
    if services:
        yield from draw(found(services), width)
    family_width = _WIDTHS[rulesets[0].family]
    view = View(
        fragment=any(ruleset.form in (Form.FRAGMENT, Form.RESTORE) for ruleset in rulesets),
        chains=width >= family_width + _CHAIN_WIDTH,
    )
    used = min(width, family_width + _CHAIN_WIDTH + 2)
    for service in services:
        yield []
        yield from draw(service_tree(service, view), used)


def _sections(explanation: Explanation) -> list[tuple[list[RulesetFacts], list[ServicePort]]]:
    """Rulesets with their services. Those of one source and family share them: a service does not tell its backend."""
    sections: dict[tuple[str, Family], tuple[list[RulesetFacts], list[ServicePort]]] = {}
    for ruleset in explanation.rulesets:
        sections.setdefault((ruleset.source, ruleset.family), ([], []))[0].append(ruleset)
    for service in explanation.services:
        sections[service.source, service.family][1].append(service)
    return list(sections.values())
