"""What a rule of the catalogue is, and how a module becomes one.

A rule is a module whose docstring is its page and whose one function, decorated by `rule` (or by `dump_rule`, where it
judges several rulesets together), yields the faults it sees. The decorated name is then the rule itself.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ipt_explain.audit.context import DumpContext, RulesetContext
from ipt_explain.audit.fault import Fault
from ipt_explain.audit.finding import Severity
from ipt_explain.audit.page import Page

RulesetCheck = Callable[[RulesetContext], Iterator[Fault]]
DumpCheck = Callable[[DumpContext], Iterator[Fault]]

_ID = re.compile(r"IPT\d{3}\Z")


@dataclass(frozen=True, slots=True)
class AuditRule:
    """One rule of the catalogue.

    `versions` tells which kube-proxy versions it holds for. A rule that `reads_absence` concludes from what is not
    there, so it is asked only about complete dumps. `yields_to` are more exact rules: where one of them reports the
    same line, this one keeps quiet. Exactly one check is set, or none: rules that need the cluster's API objects are
    `compare`'s.
    """

    id: str
    slug: str
    severity: Severity
    versions: str
    reads_absence: bool
    yields_to: tuple[str, ...]
    docstring: str = field(repr=False)
    check_ruleset: RulesetCheck | None = field(default=None, repr=False)
    check_dump: DumpCheck | None = field(default=None, repr=False)

    @property
    def page(self) -> Page:
        """The rule's page, read from its module's docstring."""
        return Page.from_docstring(self.docstring)

    @property
    def title(self) -> str:
        """The first line of the page."""
        return self.docstring.strip().partition("\n")[0]

    def faults(self, dump: DumpContext) -> Iterator[tuple[RulesetContext, Fault]]:
        """Every fault the rule sees in a dump, with the ruleset it is in."""
        if self.check_dump is not None:
            for fault in self.check_dump(dump):
                yield dump.context_of(fault.ruleset), fault
        if self.check_ruleset is not None:
            for context in dump.rulesets:
                if context.complete or not self.reads_absence:
                    for fault in self.check_ruleset(context):
                        yield context, fault


def rule(
    rule_id: str,
    slug: str,
    severity: Severity,
    *,
    versions: str = "all",
    reads_absence: bool = False,
    yields_to: tuple[str, ...] = (),
) -> Callable[[RulesetCheck], AuditRule]:
    """Make a check of one ruleset a rule of the catalogue; its module's docstring is the page."""

    def register(check: RulesetCheck) -> AuditRule:
        return AuditRule(
            _checked(rule_id),
            slug,
            severity,
            versions,
            reads_absence,
            yields_to,
            _page_of(check.__module__),
            check_ruleset=check,
        )

    return register


def dump_rule(
    rule_id: str, slug: str, severity: Severity, *, versions: str = "all", yields_to: tuple[str, ...] = ()
) -> Callable[[DumpCheck], AuditRule]:
    """Make a check of a whole dump a rule; each of its faults names the ruleset it is in."""

    def register(check: DumpCheck) -> AuditRule:
        return AuditRule(
            _checked(rule_id), slug, severity, versions, False, yields_to, _page_of(check.__module__), check_dump=check
        )

    return register


def compare_rule(module: str, rule_id: str, slug: str, severity: Severity, *, versions: str = "all") -> AuditRule:
    """A rule whose findings `compare` makes, from the cluster's API objects; `module` is the caller's `__name__`."""
    return AuditRule(_checked(rule_id), slug, severity, versions, False, (), _page_of(module))


def _checked(rule_id: str) -> str:
    if not _ID.match(rule_id):
        raise ValueError(f"a rule's ID is IPT and three digits, not {rule_id}")
    return rule_id


def _page_of(module: str) -> str:
    docstring = sys.modules[module].__doc__
    if not docstring:
        raise ValueError(f"{module} has no docstring, which would be the rule's page")
    return docstring
