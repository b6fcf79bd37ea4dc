"""What a rule reports: faults and their places. The runner adds who reports them and in which source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ipt_explain.audit.findings.impact import NO_IMPACT, Impact
from ipt_explain.audit.findings.place import NOWHERE, Location
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.records import Record, replace

if TYPE_CHECKING:
    from ipt_explain.audit.backends import BackendContext

ENOUGH = 50
"""The most faults of one kind that a reader wants to see one by one."""


class Fault(Record):
    """A fault as a rule reports it.

    `message` says what is wrong and what it does to traffic, in words and numbers; `help` says what to do. `related`
    are other lines that show it. `severity` replaces the rule's own if this case is more or less severe. `key`
    distinguishes several faults at one place (otherwise their fingerprints differ only by order). `context` is for
    rules that check the dump as a whole; others leave it None. `services` are all that one cause hits, if several.
    `impact` is what is lost at its place, if the rule that reports it asks for that.
    """

    message: str
    help: str
    at: Location = NOWHERE
    service: str | None = None
    related: tuple[int, ...] = ()
    severity: Severity | None = None
    key: str = ""
    context: BackendContext | None = None
    services: tuple[str, ...] = ()
    impact: Impact = NO_IMPACT


def gathered(faults: Iterable[Fault]) -> Iterator[Fault]:
    """The faults in order; for a severity with more than `ENOUGH`, only the first, with the others as related lines."""
    by_severity: dict[Severity | None, list[Fault]] = defaultdict(list)
    for fault in faults:
        by_severity[fault.severity].append(fault)
    for alike in by_severity.values():
        if len(alike) <= ENOUGH:
            yield from alike
            continue
        first, *others = alike
        lines = tuple(fault.at.line for fault in others if fault.at.line is not None)
        more = f"{first.message}; {len(others)} similar places"
        yield replace(first, message=more, related=(*first.related, *lines))
