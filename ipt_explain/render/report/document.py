"""A report's content, independent of its format: headline, problems, Services, all as safe text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from ipt_explain.analyzers.profiles.chains import TablePlace, places
from ipt_explain.audit.findings.folding import FindingGroup, grouped
from ipt_explain.audit.runner import Report
from ipt_explain.graph.neighbourhood import neighbourhood
from ipt_explain.model import Dump, Family, Form
from ipt_explain.model.node.joining import by_node
from ipt_explain.records import Record
from ipt_explain.render.audit.places import place
from ipt_explain.render.audit.summary import by_source, verdict
from ipt_explain.render.explain.service_tree import in_order, service_tree
from ipt_explain.render.explain.service_words import KIND_WORDS, STATE_WORDS, View
from ipt_explain.render.explain.summary import summary
from ipt_explain.render.explain.tree import header
from ipt_explain.render.graph.iptables_drawing import drawing
from ipt_explain.render.graph.notes import Notes, notes_of
from ipt_explain.render.report.picture import MOST_BOXES, Picture, picture
from ipt_explain.render.text.outline import Line, TreeNode, draw
from ipt_explain.render.text.safe import escape
from ipt_explain.services.absence import NO_SERVICE, absence
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.health import health
from ipt_explain.services.losses import answering
from ipt_explain.services.ports import RulesetFacts, ServicePort, ServiceState
from ipt_explain.words import address_port, and_more, aside, counted

TREE_WIDTH = 110
MOST_RULESETS = 6
MOST_PLACES = 100
MOST_PICTURES = 20
MOST_EXCERPT = 4000
MOST_ADDRESSES = 3


class Excerpt(Record):
    """A line of the dump in three parts: before, inside and after the part that matters."""

    before: str
    marked: str
    after: str


class Problem(Record):
    """A group of findings. `places` are pairs of place and Service, `more` counts those not listed."""

    anchor: str
    severity: str
    rule: str
    name: str
    title: str
    message: str
    help: str
    page: str
    table: str
    excerpt: Excerpt | None
    places: tuple[tuple[str, str], ...]
    more: int
    picture: Picture | None


class ServiceEntry(Record):
    """A service port: a row, and its tree as `explain` prints it. `calm` means that nothing is wrong."""

    anchor: str
    name: str
    protocol: str
    kinds: str
    addresses: str
    endpoints: int
    state: str
    calm: bool
    problems: tuple[tuple[str, str], ...]
    tree: str


class Document(Record):
    """The whole report. `rulesets` has each ruleset's header lines, `health` the node's health as in `explain`;
    `absence` says why there are no Services, if so."""

    title: str
    verdict: str
    worst: str
    nodes: tuple[str, ...]
    rulesets: tuple[tuple[str, ...], ...]
    health: tuple[str, ...]
    problems: tuple[Problem, ...]
    services: tuple[ServiceEntry, ...]
    absence: str
    warnings: tuple[str, ...]


def document(dumps: Sequence[Dump], explanation: Explanation, report: Report) -> Document:
    """The report on dumps, from their explanation and audit."""
    groups = grouped(report.findings)
    notes = notes_of(explanation.services, report.findings)
    among = places([ruleset for dump in dumps for ruleset in dump.rulesets], None)
    drawn = _pictures(groups, among, notes)
    problems = tuple(_problem(number, group, drawn.get(number)) for number, group in enumerate(groups, start=1))
    number_of = {dump.source: number for number, node in enumerate(by_node(dumps)) for dump in node}
    about = _by_service(problems, groups, number_of)
    several = len(set(number_of.values())) > 1
    fragments = {ruleset.source for ruleset in explanation.rulesets if ruleset.form in (Form.FRAGMENT, Form.RESTORE)}
    services = [
        _service(
            number,
            service,
            View(service.source in fragments, chains=True),
            about.get((number_of.get(service.source), service.family, service.label), {}),
            several,
        )
        for number, service in enumerate(explanation.services, start=1)
    ]
    services.sort(key=lambda entry: entry.calm and not entry.problems)
    sources = tuple(dict.fromkeys(dump.source for dump in dumps))
    worst = report.worst()
    return Document(
        title=escape(sources[0]) if len(sources) == 1 else counted(len(sources), "dump"),
        verdict=escape(verdict(report)),
        worst=worst.value if worst is not None else "none",
        nodes=tuple(map(escape, by_source(report))) if len(sources) > 1 else (),
        rulesets=tuple(_headers(explanation.rulesets)),
        health=tuple(_health(explanation.services, several)),
        problems=problems,
        services=tuple(services),
        absence="" if services else escape(f"{NO_SERVICE}: {absence(explanation)}."),
        warnings=tuple(escape(each) for each in explanation.warnings),
    )


_ServiceKey: TypeAlias = "tuple[int | None, Family, str]"
"""A service port: its node's number, family and label."""


def _by_service(
    problems: Iterable[Problem], groups: Iterable[FindingGroup], number_of: Mapping[str, int]
) -> dict[_ServiceKey, dict[tuple[str, str], None]]:
    """The problems of each service port, as pairs of anchor and rule."""
    about: dict[_ServiceKey, dict[tuple[str, str], None]] = {}
    for problem, group in zip(problems, groups):
        for finding in group.findings:
            for label in filter(None, (finding.service, *finding.services)):
                key = number_of.get(finding.source), finding.family, label
                about.setdefault(key, {})[problem.anchor, f"{problem.rule} {problem.name}"] = None
    return about


def _health(services: Iterable[ServicePort], several: bool) -> Iterator[str]:
    """The health of a node, or of those of several nodes that are not well, each below its name."""
    by_source: dict[str, list[ServicePort]] = {}
    for service in services:
        by_source.setdefault(service.source if several else "", []).append(service)
    found = {source: health(each) for source, each in by_source.items()}
    shown = [source for source, state in found.items() if not (several and state.well)]
    for source in shown[:MOST_RULESETS]:
        if several:
            yield escape(source)
        yield from map(_text, summary(found[source], TREE_WIDTH))
    if len(shown) > MOST_RULESETS:
        yield f"…{and_more(len(shown) - MOST_RULESETS, 'dump')}"


def _headers(rulesets: Sequence[RulesetFacts]) -> Iterator[tuple[str, ...]]:
    for each in rulesets[:MOST_RULESETS]:
        yield tuple(map(_text, _nodes(header(each))))
    if len(rulesets) > MOST_RULESETS:
        yield (f"…{and_more(len(rulesets) - MOST_RULESETS, 'ruleset')}",)


def _problem(number: int, group: FindingGroup, drawn: Picture | None) -> Problem:
    finding = group.example
    many = len(group.services)
    among = f"{counted(many, 'service port')}, such as " if many > 1 and finding.service else ""
    title = f"{among}{finding.subject}"
    excerpt = None
    if finding.excerpt and finding.columns is not None:
        start, end = finding.columns
        line = finding.excerpt
        excerpt = Excerpt(
            escape(line[max(0, start - 1 - MOST_EXCERPT) : start - 1]),
            escape(line[start - 1 : end - 1][:MOST_EXCERPT]),
            escape(line[end - 1 :][:MOST_EXCERPT]),
        )
    return Problem(
        anchor=f"problem-{number}",
        severity=finding.severity.value,
        rule=finding.rule,
        name=finding.name,
        title=escape(title),
        message=escape(finding.message),
        help=escape(finding.help),
        page=finding.docs,
        table=escape(" ".join(part for part in (finding.table, finding.chain) if part)),
        excerpt=excerpt,
        places=tuple((place(each), escape(each.service or "")) for each in group.findings[:MOST_PLACES]),
        more=max(0, len(group.findings) - MOST_PLACES),
        picture=drawn,
    )


def _pictures(groups: Sequence[FindingGroup], among: Sequence[TablePlace], notes: Notes) -> dict[int, Picture]:
    """Pictures of the most severe problems by number, one per chain."""
    found: dict[int, Picture] = {}
    seen: set[tuple[object, ...]] = set()
    for number, group in enumerate(groups[:MOST_PICTURES], start=1):
        finding = group.example
        chain = (finding.source, finding.family, finding.table, finding.chain)
        drawn = None if chain in seen else _picture(group, among, notes)
        seen.add(chain)
        if drawn is not None:
            found[number] = drawn
    return found


def _picture(group: FindingGroup, among: Sequence[TablePlace], notes: Notes) -> Picture | None:
    """A picture of the problem's chain and its neighbours, if small enough."""
    finding = group.example
    if finding.chain is None:
        return None
    for each in among:
        ruleset = each.ruleset
        if (ruleset.source, ruleset.family, each.table.name) != (finding.source, finding.family, finding.table):
            continue
        if finding.chain not in each.table.chains:
            return None
        part = neighbourhood(each.graph, [finding.chain])
        return picture(drawing([(each, part)], notes)) if len(part.chains) <= MOST_BOXES else None
    return None


def _service(
    number: int, service: ServicePort, view: View, problems: Iterable[tuple[str, str]], with_source: bool
) -> ServiceEntry:
    frontends = in_order(service.frontends)
    addresses = [
        address_port(front.address, front.port) if front.address is not None else f"*:{front.port}"
        for front in frontends
    ]
    more = f" +{len(addresses) - MOST_ADDRESSES:,}" if len(addresses) > MOST_ADDRESSES else ""
    calm = service.state is ServiceState.SERVING or answering(service) is not None
    return ServiceEntry(
        anchor=f"service-{number}",
        name=escape(f"{service.label}{aside([service.source] if with_source else [])}"),
        protocol=escape(service.protocol),
        kinds=", ".join(dict.fromkeys(KIND_WORDS[front.kind] for front in frontends)),
        addresses=escape(", ".join(addresses[:MOST_ADDRESSES])) + more,
        endpoints=len(service.endpoints),
        state="" if calm else STATE_WORDS[service.state][0],
        calm=calm,
        problems=tuple(problems),
        tree="\n".join(map(_text, draw(service_tree(service, view), TREE_WIDTH))),
    )


def _nodes(nodes: Sequence[TreeNode]) -> list[Line]:
    return [line for node in nodes for line in draw(node, TREE_WIDTH)]


def _text(line: Line) -> str:
    return "".join(text for text, _ in line).rstrip()
