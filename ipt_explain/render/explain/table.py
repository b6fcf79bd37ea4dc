"""`explain` as a table like kubectl's, one line per frontend: aligned for people, no spaces in columns for awk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ipt_explain.columns import column as column_of
from ipt_explain.netfilter.probability import NOTHING
from ipt_explain.render.explain.service_words import KIND_WORDS, joined_address
from ipt_explain.render.text.safe import cells, escape
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.ports import Balancer, Frontend, FrontendKind, ServicePort
from ipt_explain.words.percents import evenness, percents

NONE = "-"

_COLUMNS = (
    "NAMESPACE",
    "NAME",
    "PORT",
    "PROTOCOL",
    "FRONTEND",
    "ADDRESS",
    "VERDICT",
    "ENDPOINTS",
    "BALANCE",
    "POLICY",
    "AFFINITY",
    "LINE",
    "SOURCES",
)

Row = tuple[str, ...]


def table(explanation: Explanation) -> Iterator[str]:
    """The text, line by line. Lines are never wrapped: that would break pipes."""
    origins = _origins(explanation.services)
    rows: list[Row] = [(*origins, *_COLUMNS)]
    for service in explanation.services:
        origin = [_word(column(service)) for column in origins.values()]
        balancers = {balancer.chain: balancer for balancer in service.balancers}
        for frontend in service.frontends or (None,):
            balancer = None if frontend is None else balancers.get(frontend.balancer or "")
            rows.append((*origin, *_row(service, frontend, balancer)))
    widths = [max(map(cells, column)) for column in zip(*rows)]
    for row in rows:
        yield "  ".join(word + " " * (width - cells(word)) for word, width in zip(row, widths)).rstrip() + "\n"


def _origins(services: Sequence[ServicePort]) -> dict[str, Callable[[ServicePort], str | None]]:
    """The columns that distinguish rulesets, if there are several: dump, family, backend."""
    columns: dict[str, Callable[[ServicePort], str | None]] = {
        "DUMP": lambda service: service.source,
        "FAMILY": lambda service: service.family.value,
        "BACKEND": lambda service: service.backend.value if service.backend else None,
    }
    return {name: column for name, column in columns.items() if len(set(map(column, services))) > 1}


def _row(service: ServicePort, frontend: Frontend | None, balancer: Balancer | None) -> Row:
    """A service port's line for one frontend, or for none if it has none."""
    name = service.label if service.name is None else service.name
    words = (_word(service.namespace), _word(name), _word(service.port_name), _word(service.protocol))
    affinity = NONE if service.affinity_seconds is None else f"{service.affinity_seconds}s"
    if frontend is None:
        return (*words, NONE, NONE, "unknown", str(len(service.endpoints)), NONE, NONE, affinity, NONE, NONE)
    internal = frontend.kind is FrontendKind.CLUSTER_IP
    policy = service.internal_policy if internal else service.external_policy
    return (
        *words,
        KIND_WORDS[frontend.kind],
        joined_address(frontend.address, frontend.port),
        frontend.verdict.value,
        NONE if balancer is None else str(len(balancer.shares)),
        NONE if balancer is None else _balance(balancer),
        policy.value if policy else NONE,
        affinity,
        str(frontend.evidence.line),
        _word(",".join(frontend.source_ranges)),
    )


def _balance(balancer: Balancer) -> str:
    """`even`, `uneven`, or the share that leaks; `-` if there is nothing to compare."""
    if balancer.unmatched is not None and balancer.unmatched > NOTHING:
        return f"leaks-{percents((balancer.unmatched,))[0].replace(' ', '')}"
    if balancer.decided_by is not None:
        return f"by-{escape(balancer.decided_by)}"
    return evenness(column_of(balancer.shares, "probability")).partition(" ")[0] or NONE


def _word(text: str | None) -> str:
    """A value without spaces, so that columns can be counted."""
    return escape(text).replace(" ", "\\x20") if text else NONE
