"""Many faults of one kind as one: a lost marking chain breaks every endpoint, but is reported once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ipt_explain.audit.findings.fault import Fault
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.records import replace

ENOUGH = 50
"""The most faults of one kind that a reader wants to see one by one."""


def gathered(faults: Iterable[Fault], enough: int = ENOUGH) -> Iterator[Fault]:
    """The faults in order; for a severity with more than `enough`, only the first, with the others as related lines."""
    by_severity: dict[Severity | None, list[Fault]] = defaultdict(list)
    for fault in faults:
        by_severity[fault.severity].append(fault)
    for alike in by_severity.values():
        if len(alike) <= enough:
            yield from alike
            continue
        first, *others = alike
        lines = tuple(fault.at.line for fault in others if fault.at.line is not None)
        more = f"{first.message}; {len(others)} similar places"
        yield replace(first, message=more, related=(*first.related, *lines))
