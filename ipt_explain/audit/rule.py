"""What a rule of the catalogue is, and how a module becomes one.

A rule is a module whose docstring is its page and whose one function, decorated by `rule` (or by `dump_rule`, where it
judges several rulesets together), yields the faults it sees. What can be told of it without running its code is its
`AuditRule`; the function is found again, and its module imported, when a dump is to be judged by it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial, wraps
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from ipt_explain.audit.findings.severity import Severity
from ipt_explain.enums import Enum
from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import dataclass

if TYPE_CHECKING:
    from ipt_explain.audit.backends import BackendContext, IpvsContext, NftContext
    from ipt_explain.audit.context import DumpContext, RulesetContext
    from ipt_explain.audit.findings.fault import Fault
    from ipt_explain.audit.page import Page
    from ipt_explain.model import nft

Faults: TypeAlias = "Iterator[Fault]"
RulesetCheck: TypeAlias = "Callable[[RulesetContext], Faults]"
ServiceCheck: TypeAlias = "Callable[[BackendContext], Faults]"
NftCheck: TypeAlias = "Callable[[NftContext, nft.Table], Faults]"
IpvsCheck: TypeAlias = "Callable[[IpvsContext], Faults]"
DumpCheck: TypeAlias = "Callable[[DumpContext], Faults]"


class Asked(Enum):
    """What a rule is asked about."""

    IPTABLES = "iptables"  # rulesets of iptables
    SERVICES = "services"  # Services, whatever serves them
    NFTABLES = "nftables"  # kube-proxy's tables of nftables
    IPVS = "IPVS"  # virtual servers, with their sets and addresses
    NODE = "node"  # all that a node has, at once


_ID = lazy_pattern(r"[A-Z]{2,}\d{3}\Z")


@dataclass(frozen=True, slots=True)
class AuditRule:
    """One rule of the catalogue, told without its code, which is in `module`; `title` is the first line of its page.

    It holds for kube-proxy 1.`since` to 1.`until`, and is not asked about rules that another release wrote for certain.
    It is about chains of these names, or of names that begin so where the name given ends in a hyphen, and is not asked
    about a text that has none of them. A rule that `reads_absence` concludes from what is not there, so it is asked
    only about complete dumps. `yields_to` are more exact rules: where one of them reports the same line, this one keeps
    quiet. A `general` rule knows nothing of what a line is for, and keeps quiet where any rule that does accuses it. A
    `catch_all` tells of effects whatever their cause, and keeps quiet where any other rule accuses the cause.
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
    general: bool = False
    catch_all: bool = False
    of: Asked = Asked.IPTABLES

    @property
    def versions(self) -> str:
        """The releases of kube-proxy that it holds for, in words; its mode, where it is about one alone."""
        if self.of in (Asked.NFTABLES, Asked.IPVS):
            return f"{self.of.value} mode"
        if self.since is None:
            return "all" if self.until is None else f"1.{self.until} or earlier"
        return f"1.{self.since} or later" if self.until is None else f"1.{self.since} to 1.{self.until}"

    @property
    def page(self) -> Page:
        """The rule's page, read from its module's docstring."""
        from ipt_explain.audit.page import Page

        return Page.from_docstring(import_module(self.module).__doc__ or "")

    def judges(self, context: BackendContext) -> bool:
        """Whether it has something to say of a ruleset: of one that shows enough, by a release that it holds for."""
        from ipt_explain.audit.context import RulesetContext

        if self.reads_absence and not context.complete:
            return False
        if not isinstance(context, RulesetContext):
            return True
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

    def faults(self, dump: DumpContext) -> Iterator[tuple[BackendContext, Fault]]:
        """Every fault the rule sees in a dump, with the ruleset it is in."""
        if not self.asked:
            return
        if self.of is Asked.NODE:
            for fault in self.check().run(dump) if dump.contexts else ():
                yield fault.context or dump.contexts[0], fault
            return
        judged = [context for context in self._subjects(dump) if self.judges(context)]
        if judged:
            check = self.check()
            for context in judged:
                for fault in check.run(context):
                    yield fault.context or context, fault

    def _subjects(self, dump: DumpContext) -> Iterable[BackendContext]:
        """What of a dump it is asked about."""
        if self.of is Asked.IPTABLES:
            return dump.rulesets
        if self.of is Asked.NFTABLES:
            return dump.of_nftables()
        return dump.of_ipvs() if self.of is Asked.IPVS else dump.contexts


@dataclass(frozen=True, slots=True)
class Check:
    """A rule with its code, as its module has it. `run` takes what the rule is asked about; it finds nothing where
    `compare` makes the rule's findings.
    """

    rule: AuditRule
    run: Callable[..., Faults]


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
    general: bool = False,
    gathers: bool = False,
) -> Callable[[RulesetCheck], Check]:
    """Make a check of one ruleset of iptables a rule; its module's docstring is the page.

    One that `gathers` may find a fault for each Service or endpoint, which are told once where they are very many.
    """
    card = partial(
        AuditRule, rule_id, slug, severity, since=since, until=until, about=about, reads_absence=reads_absence,
        yields_to=yields_to, general=general,
    )  # fmt: skip
    return _register(card, gathers)


def service_rule(
    rule_id: str, slug: str, severity: Severity, *, reads_absence: bool = False, catch_all: bool = False
) -> Callable[[ServiceCheck], Check]:
    """Make a check of Services a rule, whatever serves them: iptables, nftables or IPVS."""
    card = partial(
        AuditRule, rule_id, slug, severity, reads_absence=reads_absence, catch_all=catch_all, of=Asked.SERVICES
    )
    return _register(card)


def nft_rule(
    rule_id: str, slug: str, severity: Severity, *, reads_absence: bool = False, gathers: bool = False
) -> Callable[[NftCheck], Check]:
    """Make a check of kube-proxy's table of nftables a rule; it is asked where there is one."""
    card = partial(AuditRule, rule_id, slug, severity, reads_absence=reads_absence, of=Asked.NFTABLES)

    def register(check: NftCheck) -> Check:
        @wraps(check)
        def of_table(context: NftContext) -> Faults:
            return iter(()) if context.proxy is None else check(context, context.proxy)

        return _register(card, gathers)(of_table)

    return register


def ipvs_rule(
    rule_id: str, slug: str, severity: Severity, *, reads_absence: bool = False, gathers: bool = False
) -> Callable[[IpvsCheck], Check]:
    """Make a check of virtual servers, and of the sets and addresses beside them, a rule."""
    card = partial(AuditRule, rule_id, slug, severity, reads_absence=reads_absence, of=Asked.IPVS)
    return _register(card, gathers)


def dump_rule(rule_id: str, slug: str, severity: Severity) -> Callable[[DumpCheck], Check]:
    """Make a check of a whole node a rule; each of its faults names the ruleset it is in."""
    return _register(partial(AuditRule, rule_id, slug, severity, of=Asked.NODE))


def compare_rule(module: str, rule_id: str, slug: str, severity: Severity) -> Check:
    """A rule whose findings `compare` makes, from the cluster's API objects; `module` is the caller's `__name__`."""
    return Check(_named(partial(AuditRule, rule_id, slug, severity, asked=False), module), _nothing)


def _nothing(_: object) -> Faults:
    return iter(())


def _register(card: Callable[..., AuditRule], gathers: bool = False) -> Callable[[Callable[..., Faults]], Check]:
    def register(check: Callable[..., Faults]) -> Check:
        @wraps(check)
        def gathering(subject: object) -> Faults:
            from ipt_explain.audit.findings.gathering import gathered

            return gathered(check(subject))

        return Check(_named(card, check.__module__), gathering if gathers else check)

    return register


def _named(card: Callable[..., AuditRule], module: str) -> AuditRule:
    """The rule that a module is. Raises ValueError where its ID is none, or it has no page."""
    made = card(title=(sys.modules[module].__doc__ or "").strip().partition("\n")[0], module=module)
    if not _ID.match(made.id):
        raise ValueError(f"a rule's ID is two or more capital letters and three digits, not {made.id}")
    if not made.title:
        raise ValueError(f"{module} has no docstring, which would be the rule's page")
    return made
