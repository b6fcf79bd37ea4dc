"""What a rule of the catalogue is, and how a module becomes one.

A rule is a module whose docstring is its page and whose one function, decorated by `rule` (or by `dump_rule`, where it
judges several rulesets together), yields the faults it sees. What can be told of it without running its code is its
`AuditRule`; the function is found again, and its module imported, when a dump is to be judged by it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from ipt_explain.audit.severity import Severity
from ipt_explain.records import dataclass

if TYPE_CHECKING:
    from ipt_explain.audit.context import DumpContext, RulesetContext
    from ipt_explain.audit.fault import Fault
    from ipt_explain.audit.page import Page

Faults: TypeAlias = "Iterator[Fault]"
RulesetCheck: TypeAlias = "Callable[[RulesetContext], Faults]"
DumpCheck: TypeAlias = "Callable[[DumpContext], Faults]"

_ID = re.compile(r"[A-Z]{2,}\d{3}\Z")


@dataclass(frozen=True, slots=True)
class AuditRule:
    """One rule of the catalogue, told without its code, which is in `module`; `title` is the first line of its page.

    It holds for kube-proxy 1.`since` to 1.`until`, and is not asked about rules that another release wrote for certain.
    It is about chains of these names, or of names that begin so where the name given ends in a hyphen, and is not asked
    about a text that has none of them. A rule that `reads_absence` concludes from what is not there, so it is asked
    only about complete dumps. `yields_to` are more exact rules: where one of them reports the same line, this one keeps
    quiet. A `catch_all` tells of effects whatever their cause, and keeps quiet where any other rule accuses the cause.
    Rules that need the cluster's API objects are not `asked` by the audit: their findings are `compare`'s.
    """

    id: str
    slug: str
    severity: Severity
    title: str
    module: str
    since: int | None = None
    until: int | None = None
    about: tuple[str, ...] = ()
    reads_absence: bool = False
    yields_to: tuple[str, ...] = ()
    asked: bool = True
    catch_all: bool = False

    @property
    def versions(self) -> str:
        """The releases of kube-proxy that it holds for, in words."""
        if self.since is None:
            return "all" if self.until is None else f"1.{self.until} or earlier"
        return f"1.{self.since} or later" if self.until is None else f"1.{self.since} to 1.{self.until}"

    @property
    def page(self) -> Page:
        """The rule's page, read from its module's docstring."""
        from ipt_explain.audit.page import Page

        return Page.from_docstring(import_module(self.module).__doc__ or "")

    def judges(self, context: RulesetContext) -> bool:
        """Whether it has something to say of a ruleset: of one that shows enough, by a release that it holds for."""
        if self.reads_absence and not context.complete:
            return False
        if self.about and context.kinds_of_chains.isdisjoint(self.about):
            return False
        if self.since is None and self.until is None:
            return True
        written = context.version
        return written.last >= (self.since or written.last) and written.first <= (self.until or written.first)

    def check(self) -> Check:
        """Its code. Raises whatever importing the module raises."""
        for value in vars(import_module(self.module)).values():
            if isinstance(value, Check) and value.rule.id == self.id:
                return value
        raise LookupError(f"{self.module} has no rule {self.id}")

    def faults(self, dump: DumpContext) -> Iterator[tuple[RulesetContext, Fault]]:
        """Every fault the rule sees in a dump, with the ruleset it is in."""
        contexts = [context for context in dump.rulesets if self.judges(context)]
        if not contexts or not self.asked:
            return
        check = self.check()
        if check.of_dump is not None:
            for fault in check.of_dump(dump):
                yield dump.context_of(fault.ruleset), fault
        if check.of_ruleset is not None:
            for context in contexts:
                for fault in check.of_ruleset(context):
                    yield context, fault


@dataclass(frozen=True, slots=True)
class Check:
    """A rule with its code, as its module has it. One of the two functions is set, or none: then `compare` makes its
    findings.
    """

    rule: AuditRule
    of_ruleset: RulesetCheck | None = None
    of_dump: DumpCheck | None = None


def rule(
    rule_id: str,
    slug: str,
    severity: Severity,
    *,
    since: int | None = None,
    until: int | None = None,
    about: tuple[str, ...] = (),
    reads_absence: bool = False,
    yields_to: tuple[str, ...] = (),
    catch_all: bool = False,
) -> Callable[[RulesetCheck], Check]:
    """Make a check of one ruleset a rule; its module's docstring is the page."""

    def register(check: RulesetCheck) -> Check:
        title = _title(check.__module__)
        card = AuditRule(
            _checked(rule_id), slug, severity, title, check.__module__, since, until, about, reads_absence, yields_to,
            catch_all=catch_all,
        )  # fmt: skip
        return Check(card, of_ruleset=check)

    return register


def dump_rule(
    rule_id: str, slug: str, severity: Severity, *, yields_to: tuple[str, ...] = ()
) -> Callable[[DumpCheck], Check]:
    """Make a check of a whole dump a rule; each of its faults names the ruleset it is in."""

    def register(check: DumpCheck) -> Check:
        title = _title(check.__module__)
        card = AuditRule(_checked(rule_id), slug, severity, title, check.__module__, yields_to=yields_to)
        return Check(card, of_dump=check)

    return register


def compare_rule(module: str, rule_id: str, slug: str, severity: Severity) -> Check:
    """A rule whose findings `compare` makes, from the cluster's API objects; `module` is the caller's `__name__`."""
    return Check(AuditRule(_checked(rule_id), slug, severity, _title(module), module, asked=False))


def _checked(rule_id: str) -> str:
    if not _ID.match(rule_id):
        raise ValueError(f"a rule's ID is two or more capital letters and three digits, not {rule_id}")
    return rule_id


def _title(module: str) -> str:
    docstring = (sys.modules[module].__doc__ or "").strip()
    if not docstring:
        raise ValueError(f"{module} has no docstring, which would be the rule's page")
    return docstring.partition("\n")[0]
