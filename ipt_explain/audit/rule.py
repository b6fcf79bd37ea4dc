"""What a rule of the catalogue is, and how a module becomes one.

A rule is a module whose docstring is its page and whose one function, decorated with `rule` (or `dump_rule`, if it
judges several rulesets together), yields the faults it finds. Its `AuditRule` holds all that is known without running
its code; the module is imported and the function looked up when the rule checks a dump.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from ipt_explain.audit.findings.severity import Severity
from ipt_explain.enums import Enum
from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import Record

if TYPE_CHECKING:
    from typing import TypedDict

    from typing_extensions import Unpack

    from ipt_explain.audit.backends import BackendContext, IpvsContext, NftContext
    from ipt_explain.audit.context import DumpContext, RulesetContext
    from ipt_explain.audit.findings.fault import Fault
    from ipt_explain.audit.page import Page
    from ipt_explain.model import nft

    class Stated(TypedDict, total=False):
        """What a rule's decorator may say of it."""

        since: int
        until: int
        about: tuple[str, ...]
        evidence: Evidence
        reads_absence: bool
        yields_to: tuple[str, ...]
        general: bool
        catch_all: bool
        gathers: bool


Faults: TypeAlias = "Iterator[Fault]"
RulesetCheck: TypeAlias = "Callable[[RulesetContext], Faults]"
ServiceCheck: TypeAlias = "Callable[[BackendContext], Faults]"
NftCheck: TypeAlias = "Callable[[NftContext, nft.Table], Faults]"
IpvsCheck: TypeAlias = "Callable[[IpvsContext], Faults]"
DumpCheck: TypeAlias = "Callable[[DumpContext], Faults]"
Evidence: TypeAlias = "Callable[..., object] | tuple[Callable[..., object], str]"


class Asked(Enum):
    """What a rule checks."""

    IPTABLES = "iptables"  # rulesets of iptables
    SERVICES = "services"  # Services in any mode
    NFTABLES = "nftables"  # kube-proxy's tables of nftables
    IPVS = "IPVS"  # virtual servers, with their sets and addresses
    NODE = "node"  # everything on a node, at once


_ID = lazy_pattern(r"[A-Z]{2,}\d{3}\Z")


class AuditRule(Record):
    """One rule of the catalogue without its code, which is in `module`; `title` is the first line of its page.

    It applies to kube-proxy 1.`since` to 1.`until`, and skips rulesets that another release certainly wrote. It
    skips texts without any of the chains (`KUBE-SVC-` means all with that prefix), matches (`-m recent`) and
    gotos (`-g`) in `about`. It can find nothing without its `evidence`, a fact of its subject (`module:function`, or
    `module:function.field`), so its code is loaded only if that is not empty. A rule that `reads_absence` concludes
    from what is missing, so it checks only complete dumps. `yields_to` are more specific rules: if one of them reports
    the same line, this one does not. A `general` rule does not know what a line is for, and is silent if any rule that
    does reports the line. A `catch_all` reports effects whatever their cause, and is silent if another rule reports the
    cause. Rules that need the cluster's API objects are not `asked` by the audit: `compare` makes their findings.
    """

    id: str
    slug: str
    severity: Severity
    title: str
    module: str
    since: int | None = None
    until: int | None = None
    about: tuple[str, ...] = ()
    evidence: str = ""
    reads_absence: bool = False
    yields_to: tuple[str, ...] = ()
    asked: bool = True
    general: bool = False
    catch_all: bool = False
    of: Asked = Asked.IPTABLES

    @property
    def versions(self) -> str:
        """The kube-proxy releases that it applies to, in words; or its mode, if it is about only one."""
        if self.of in (Asked.NFTABLES, Asked.IPVS):
            return f"{self.of.value} mode"
        if self.since is None:
            return "all" if self.until is None else f"1.{self.until} or earlier"
        return f"1.{self.since} or later" if self.until is None else f"1.{self.since} to 1.{self.until}"

    @property
    def page(self) -> Page:
        """The rule's page, read from its module's docstring."""
        from ipt_explain.audit.page import Page, docstring_of

        return Page.from_docstring(docstring_of(self.module))

    def judges(self, context: BackendContext) -> bool:
        """Whether it applies to a ruleset: one that shows enough, from a release that it is for, with its evidence."""
        return (context.complete or not self.reads_absence) and self._is_for(context) and self._has_evidence(context)

    def _is_for(self, context: BackendContext) -> bool:
        from ipt_explain.audit.context import RulesetContext

        if not isinstance(context, RulesetContext):
            return True
        if self.about and not any(map(context.shows, self.about)):
            return False
        if self.since is None and self.until is None:
            return True
        written = context.version
        return written.last >= (self.since or written.last) and written.first <= (self.until or written.first)

    def _has_evidence(self, subject: BackendContext | DumpContext) -> bool:
        if not self.evidence:
            return True
        module, _, path = self.evidence.partition(":")
        fact, _, field = path.partition(".")
        found = getattr(import_module(module), fact)(subject)
        return bool(getattr(found, field) if field else found)

    def check(self) -> Check:
        """Its code. Raises whatever importing the module raises."""
        for value in vars(import_module(self.module)).values():
            if isinstance(value, Check) and value.rule.id == self.id:
                return value
        raise LookupError(f"{self.module} has no rule {self.id}")

    def faults(self, dump: DumpContext) -> Iterator[tuple[BackendContext, Fault]]:
        """Every fault the rule finds in a dump, with its ruleset."""
        if not self.asked:
            return
        if self.of is Asked.NODE:
            shown = any(context.complete or not self.reads_absence for context in dump.contexts)
            if shown and self._has_evidence(dump):
                for fault in self.check().run(dump):
                    yield fault.context or dump.contexts[0], fault
            return
        judged = [context for context in self._subjects(dump) if self.judges(context)]
        if judged:
            check = self.check()
            for context in judged:
                for fault in check.run(context):
                    yield fault.context or context, fault

    def _subjects(self, dump: DumpContext) -> Iterable[BackendContext]:
        """The parts of a dump that it checks."""
        if self.of is Asked.IPTABLES:
            return dump.rulesets
        if self.of is Asked.NFTABLES:
            return dump.of_nftables()
        return dump.of_ipvs() if self.of is Asked.IPVS else dump.contexts


class Check(Record):
    """A rule with its code, as its module has it. `run` takes the rule's subject; it finds nothing if `compare` makes
    the rule's findings."""

    rule: AuditRule
    run: Callable[..., Faults]


def rule(rule_id: str, slug: str, severity: Severity, **more: Unpack[Stated]) -> Callable[[RulesetCheck], Check]:
    """Make a check of one iptables ruleset a rule: its module's docstring is the page, `more` fields of its AuditRule.

    `evidence` is a fact without which it finds nothing: `hairpins`, or a field of one: `(front_rules, "wide")`. A rule
    that `gathers` may find a fault for each Service or endpoint; very many are reported as one.
    """
    return _register(Asked.IPTABLES, rule_id, slug, severity, more)


def service_rule(
    rule_id: str, slug: str, severity: Severity, **more: Unpack[Stated]
) -> Callable[[ServiceCheck], Check]:
    """Make a check of Services in any mode (iptables, nftables or IPVS) a rule."""
    return _register(Asked.SERVICES, rule_id, slug, severity, more)


def nft_rule(rule_id: str, slug: str, severity: Severity, **more: Unpack[Stated]) -> Callable[[NftCheck], Check]:
    """Make a check of kube-proxy's nftables table a rule; it runs if there is one."""

    def register(check: NftCheck) -> Check:
        @wraps(check)
        def of_table(context: NftContext) -> Faults:
            return iter(()) if context.proxy is None else check(context, context.proxy)

        return _register(Asked.NFTABLES, rule_id, slug, severity, more)(of_table)

    return register


def ipvs_rule(rule_id: str, slug: str, severity: Severity, **more: Unpack[Stated]) -> Callable[[IpvsCheck], Check]:
    """Make a check of virtual servers, with their sets and addresses, a rule."""
    return _register(Asked.IPVS, rule_id, slug, severity, more)


def dump_rule(rule_id: str, slug: str, severity: Severity, **more: Unpack[Stated]) -> Callable[[DumpCheck], Check]:
    """Make a check of a whole node a rule; each of its faults names the ruleset it is in."""
    return _register(Asked.NODE, rule_id, slug, severity, more)


def compare_rule(module: str, rule_id: str, slug: str, severity: Severity) -> Check:
    """A rule whose findings `compare` makes from the cluster's API objects; `module` is the caller's `__name__`."""
    return Check(_of_module(module, rule_id, slug, severity, asked=False), lambda _: iter(()))


def _register(
    of: Asked, rule_id: str, slug: str, severity: Severity, stated: Stated
) -> Callable[[Callable[..., Faults]], Check]:
    fields: dict[str, Any] = {**stated, "evidence": _path_of(stated.get("evidence")), "of": of}
    gathers = fields.pop("gathers", False)

    def register(check: Callable[..., Faults]) -> Check:
        @wraps(check)
        def gathering(subject: object) -> Faults:
            from ipt_explain.audit.findings.fault import gathered

            return gathered(check(subject))

        return Check(_of_module(check.__module__, rule_id, slug, severity, **fields), gathering if gathers else check)

    return register


def _of_module(module: str, rule_id: str, slug: str, severity: Severity, **fields: Any) -> AuditRule:
    """A module's rule. Raises ValueError if its ID is invalid, or it has no page."""
    title = (sys.modules[module].__doc__ or "").strip().partition("\n")[0]
    if not _ID.match(rule_id):
        raise ValueError(f"a rule's ID is two or more capital letters and three digits, not {rule_id}")
    if not title:
        raise ValueError(f"{module} has no docstring, which would be the rule's page")
    return AuditRule(rule_id, slug, severity, title, module, **fields)


def _path_of(evidence: Evidence | None) -> str:
    """Where a fact is: its module and name, and the field if the rule judges only one."""
    if evidence is None:
        return ""
    fact, *fields = evidence if isinstance(evidence, tuple) else (evidence,)
    return f"{fact.__module__}:{'.'.join((fact.__name__, *fields))}"
