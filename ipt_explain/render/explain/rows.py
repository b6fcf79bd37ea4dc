"""`explain` as a table that fits the terminal: one row per service port."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.columns import column as column_of
from ipt_explain.netfilter.probability import NOTHING
from ipt_explain.render.explain.service_words import KIND_WORDS, joined_address
from ipt_explain.render.explain.summary import SIGNS, brief_words
from ipt_explain.render.text.outline import Line, Span, TreeNode, draw, sentence
from ipt_explain.render.text.safe import cells, escape
from ipt_explain.render.text.terminal import to_text
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.health import Trouble, trouble_of
from ipt_explain.services.ports import FrontendKind, ServicePort, ServiceState
from ipt_explain.words import family_name, source_name
from ipt_explain.words.percents import evenness, percent

_COLUMNS = ("", "SERVICE", "TYPE", "ADDRESS", "EP", "BALANCE", "PROBLEM")
_LETTERS = {
    FrontendKind.CLUSTER_IP: "C",
    FrontendKind.LOAD_BALANCER: "L",
    FrontendKind.EXTERNAL_IP: "E",
    FrontendKind.EXTERNAL: "X",
    FrontendKind.NODE_PORT: "N",
}
_GAP = "  "
_NAME, _TYPE, _ADDRESS, _BALANCE, _PROBLEM = 1, 2, 3, 5, 6

Row = tuple[Span, ...]


def rows(explanation: Explanation, width: int, color: bool) -> Iterator[str]:
    """The table in pieces, no line wider than `width`: first uniform columns are dropped, then long words cut."""
    return to_text(_lines(explanation, width), color)


def _lines(explanation: Explanation, width: int) -> Iterator[Line]:
    sources: dict[tuple[str, str], list[ServicePort]] = {}
    for service in explanation.services:
        sources.setdefault((service.source, service.family.value), []).append(service)
    for number, ((source, family), services) in enumerate(sources.items()):
        if len(sources) > 1:
            if number:
                yield []
            yield from draw(
                TreeNode(sentence(f"{escape(source_name(source))} · {family_name(family)}", "title")), width
            )
        yield from _table([_row(service) for service in services], width)
    kinds = {front.kind for service in explanation.services for front in service.frontends}
    if kinds:
        words = [f"{_LETTERS[kind]} {KIND_WORDS[kind]}" for kind in _LETTERS if kind in kinds]
        if any(True in column_of(service.endpoints, "local") for service in explanation.services):
            words.append("4/2 two of four endpoints are local")
        yield from draw(TreeNode(sentence(" · ".join(words), "note")), width)


def _table(rows: list[Row], width: int) -> Iterator[Line]:
    table: list[Row] = [tuple((word, "title") for word in _COLUMNS), *rows]
    widths = {column: max(cells(row[column][0]) for row in table) for column in range(len(_COLUMNS))}
    over = sum(widths.values()) + len(_GAP) * (len(widths) - 2) + 1 - width
    for column, usual in ((_BALANCE, ("even", "-")), (_TYPE, (_LETTERS[FrontendKind.CLUSTER_IP],))):
        if over > 0 and all(row[column][0] in usual for row in rows):
            over -= widths.pop(column) + len(_GAP)
    # Shrink the problem first, then the name, then the address.
    for column, least in ((_PROBLEM, 18), (_NAME, 20), (_ADDRESS, 14), (_PROBLEM, 6), (_NAME, 6), (_ADDRESS, 6)):
        give = min(max(over, 0), max(0, widths[column] - least))
        widths[column] -= give
        over -= give
    for row in table:
        line: Line = []
        for column, room in widths.items():
            text, style = row[column]
            shown = (_cut_inside if column == _NAME else _cut)(text, room)
            gap = "" if column == _PROBLEM else " " if not column else _GAP
            line += [(shown, style), (" " * (room - cells(shown)) + gap if gap else "", "")]
        yield line


def _row(service: ServicePort) -> Row:
    trouble = trouble_of(service)
    sign, style = SIGNS.get(trouble.standing, (" ", ""))
    kinds = {front.kind for front in service.frontends}
    local = column_of(service.endpoints, "local").count(True)
    endpoints = f"{len(service.endpoints)}/{local}" if local else str(len(service.endpoints))
    return (
        (sign, style),
        (escape(service.label), "name"),
        ("+".join(letter for kind, letter in _LETTERS.items() if kind in kinds) or "-", ""),
        (_address(service), ""),
        (endpoints, ""),
        (_balance(service), ""),
        (_problem(trouble, service) or "-", style),
    )


def _problem(trouble: Trouble, service: ServicePort) -> str:
    """The problem; a leak's share is in the column before."""
    words = brief_words(trouble)
    leaks = any((each.unmatched or 0.0) > NOTHING for each in service.balancers[:1])
    return words.partition(" % ")[2] or words if leaks else words


def _address(service: ServicePort) -> str:
    protocol = f"/{escape(service.protocol)}" if service.protocol else ""
    if service.cluster_ip is not None:
        return f"{joined_address(service.cluster_ip, service.port)}{protocol}"
    front = service.frontends[0] if service.frontends else None
    return "-" if front is None else f"{joined_address(front.address, front.port)}{protocol}"


def _balance(service: ServicePort) -> str:
    """The balance of the Service's first balancer: `even`, `uneven`, or the share that leaks."""
    if not service.balancers or service.state is ServiceState.NO_ENDPOINTS:
        return "-"
    balancer = service.balancers[0]
    if balancer.unmatched is not None and balancer.unmatched > NOTHING:
        return f"leaks {percent(balancer.unmatched)}"
    if balancer.decided_by is not None:
        return f"by-{escape(balancer.decided_by)}"
    return evenness(column_of(balancer.shares, "probability")).partition(" ")[0] or "-"


def _cut(text: str, width: int) -> str:
    if cells(text) <= width:
        return text
    kept = text
    while kept and cells(kept) > width - 1:
        kept = kept[:-1]
    return kept + "…"


def _cut_inside(text: str, width: int) -> str:
    """Shorten a name in its middle, since names in one namespace differ at their ends."""
    if cells(text) <= width:
        return text
    end = len(text)
    while end and cells(text[end - 1 :]) <= (width - 1) // 2:
        end -= 1
    return _cut(text[:end] + "…", width - cells(text[end:])) + text[end:]
