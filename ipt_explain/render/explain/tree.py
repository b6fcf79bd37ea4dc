"""`explain` for people: each ruleset summed up in a few lines, then each service port as a tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.columns import column
from ipt_explain.model import Backend, Family, Form
from ipt_explain.render.explain.service_tree import service_tree
from ipt_explain.render.explain.service_words import View, placement_words
from ipt_explain.render.text.outline import Line, Span, TreeNode, draw, sentence
from ipt_explain.render.text.safe import cells, escape
from ipt_explain.render.text.terminal import to_text
from ipt_explain.services.explanation import EVERYTHING, Choice, Explanation, Reading, ShownServices
from ipt_explain.services.health import Health, Standing, health
from ipt_explain.services.ports import ProxyMode, RulesetFacts, ServicePort, ServiceState
from ipt_explain.words import counted, family_name, source_name

_FORMS = {
    Form.FRAGMENT: "fragment: what is not in it (chains, hooks, other rules) is unknown, not missing",
    Form.RESTORE: "input for iptables-restore --noflush: the kernel may hold chains that it does not mention",
    Form.COLUMNS: "iptables -L: what it does not print (other chains, -i and -o without -v) is unknown, not missing",
    Form.LISTING: "iptables -S: what other tables do is unknown",
}

# Most important tables first.
_TABLE_ORDER = ("nat", "filter", "mangle", "raw", "security")


def header(ruleset: RulesetFacts) -> list[TreeNode]:
    """The lines above a ruleset's services."""
    lines = [_origin(ruleset), _proxy(ruleset), _sizes(ruleset)]
    if ruleset.form in _FORMS:
        lines.append(sentence(_FORMS[ruleset.form], "unknown"))
    return [TreeNode(words, hang=2) for words in lines if words]


def _origin(ruleset: RulesetFacts) -> list[Span]:
    words = [escape(source_name(ruleset.source)), family_name(ruleset.family.value)]
    if ruleset.generator is not None:
        words.append(escape(ruleset.generator))
    elif ruleset.backend is not None:
        words.append(f"{ruleset.backend.value} backend")
    words += filter(None, [escape(placement_words(ruleset.placement))])
    return _dotted(words, "title")


def _proxy(ruleset: RulesetFacts) -> list[Span]:
    """The kube-proxy that wrote the rules, with the evidence."""
    if ruleset.mode is None or (ruleset.mode is ProxyMode.IPVS and ruleset.backend is not Backend.IPVS):
        return []
    version = f", {escape(ruleset.version)}" if ruleset.version else ""
    signs = f" (by {escape(ruleset.evidence)})" if ruleset.evidence else ""
    return sentence(f"kube-proxy in {ruleset.mode.word} mode{version}{signs}")


def _sizes(ruleset: RulesetFacts) -> list[Span]:
    words = []
    if ruleset.tables:
        tables = sorted(ruleset.tables, key=lambda name: (*_TABLE_ORDER, name).index(name))
        counts = [f"{ruleset.tables[name].rules:,}" for name in tables]
        counts[0] = counted(counts[0], "rule")
        words.append(", ".join(f"{escape(name)} {count}" for name, count in zip(tables, counts)))
    if ruleset.masquerade_mark is not None:
        words.append(f"masquerade mark {_mark_words(*ruleset.masquerade_mark)}")
    return _dotted(words)


def _found(services: Sequence[ServicePort]) -> TreeNode:
    """The number of service ports and endpoints."""
    endpoints = sum(len(service.endpoints) for service in services)
    ports = counted(len(services), "service port")
    nameless = services[0].backend is Backend.IPVS and not any(service.name for service in services)
    names = " (IPVS stores no names; --objects adds them)" if nameless else ""
    return TreeNode(sentence(f"{ports}{names}, {counted(endpoints, 'endpoint')}"))


def _mark_words(value: int, mask: int) -> str:
    """`0x4000`, with the mask if it differs."""
    return f"{value:#x}" if value == mask else f"{value:#x}/{mask:#x}"


def _nothing(ruleset: RulesetFacts) -> TreeNode:
    """Why a ruleset has no Services."""
    from ipt_explain.services.absence import NO_SERVICE, reason

    return TreeNode(sentence(f"{NO_SERVICE}: {escape(reason(ruleset))}.", "unknown"))


def _dotted(words: Sequence[str], first_style: str = "") -> list[Span]:
    return [(f" · {word}" if index else word, "" if index else first_style) for index, word in enumerate(words)]


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
    reading: Reading | None = None,
) -> Iterator[str]:
    """The text, in pieces. `total` is the number of service ports before selection, `choice` says which of them have a
    tree. With `links`, line numbers link to their file. Commands to run next read what `reading` says."""
    return to_text(_lines(explanation, width, total, choice, links, reading or _files(explanation)), color)


def _files(explanation: Explanation) -> Reading:
    return Reading(tuple(dict.fromkeys(ruleset.source for ruleset in explanation.rulesets)))


def first_lines(ruleset: RulesetFacts, width: int, color: bool) -> Iterator[str]:
    """The text about the first ruleset, above its Services."""
    return to_text(_header(ruleset, width), color)


def _header(ruleset: RulesetFacts, width: int) -> Iterator[Line]:
    for node in header(ruleset):
        yield from draw(node, width)


def _lines(
    explanation: Explanation, width: int, total: int | None, choice: Choice, links: bool, reading: Reading
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
        from ipt_explain.services.absence import IN_NFTABLES, NO_SERVICE, ONLY_ADDRESSES

        why = ONLY_ADDRESSES if reading.shows_addresses else f"there are no rules. {IN_NFTABLES}"
        yield from draw(TreeNode(sentence(f"{NO_SERVICE}: {why}.", "unknown")), width)
    number = len(explanation.services)
    if total is not None:
        if total > number:
            yield []
            yield [(f"{number:,} of {counted(total, 'service port')} shown, as selected.", "note")]
        hidden = []
    else:
        kept = set(map(id, choice.of(explanation.services)))
        hidden = [service for service in explanation.services if id(service) not in kept]
    if state is None or len(sections) > 1:
        state = health(explanation.services)
    if hidden or not state.well:
        from ipt_explain.render.explain.summary import next_lines

        if state.counts[Standing.UNKNOWN]:
            from ipt_explain.render.explain.answers import answer_lines

            yield from answer_lines(state, reading, width)
        judged = any(facts.tables for facts in explanation.rulesets) or any(
            service.endpoints or service.state is not ServiceState.UNKNOWN for service in explanation.services
        )
        yield from next_lines(state, reading, hidden, judged, width)


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
        yield from draw(_found(services), width)
    elif not selected:
        yield []
        in_ipvs = below and ruleset.mode is ProxyMode.IPVS
        yield from draw(TreeNode(sentence(_IN_IPVS)) if in_ipvs else _nothing(ruleset), width)
    kept = choice.of(services)
    family_width = _WIDTHS[ruleset.family] + (0 if ruleset.placement is None else _placement_width(kept))
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


def _placement_width(services: Sequence[ServicePort]) -> int:
    """Columns for endpoints' pods, nodes and zones, and a gap."""
    placements = {placement for service in services for placement in column(service.endpoints, "placement")}
    return max((cells(escape(placement_words(each))) + 2 for each in placements), default=0)


def _sections(explanation: Explanation) -> list[tuple[RulesetFacts, list[ServicePort]]]:
    """Rulesets with their services."""
    sections: dict[tuple[str, Family, Backend | None], tuple[RulesetFacts, list[ServicePort]]] = {}
    for ruleset in explanation.rulesets:
        sections[ruleset.source, ruleset.family, ruleset.backend] = (ruleset, [])
    for service in explanation.services:
        sections[service.source, service.family, service.backend][1].append(service)
    return list(sections.values())
