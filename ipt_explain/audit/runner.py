"""Running the catalogue over dumps: one fault, one finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ipt_explain.audit.backends import BackendContext
from ipt_explain.audit.catalogue import catalogue
from ipt_explain.audit.context import DumpContext
from ipt_explain.audit.findings.consequences import LossFinding, with_effects, without_consequences
from ipt_explain.audit.findings.fault import Fault
from ipt_explain.audit.findings.finding import Finding, by_impact, fingerprint
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.rule import AuditRule
from ipt_explain.collector import collector_paused
from ipt_explain.model import Dump
from ipt_explain.model.dump import FailedTool
from ipt_explain.patterns import lazy_pattern
from ipt_explain.progress import each_of
from ipt_explain.records import Record, replace
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.ports import ProxyMode

_QUOTED = lazy_pattern(r'"(?:[^"\\]|\\.)*"')

if TYPE_CHECKING:
    from ipt_explain.audit.settings.baseline import Baseline
    from ipt_explain.audit.settings.config import Overrides
    from ipt_explain.compare.fleet.nodes import NotCompared


class Unchecked(Record):
    """A rule that failed on a dump: a bug in this program, which must not hide what the other rules found."""

    rule: str
    source: str
    error: Exception

    def __str__(self) -> str:
        return f"{self.source}: {self.rule} could not be checked ({type(self.error).__name__}: {self.error})"


class Report(Record):
    """What an audit found: findings in the order of sources, then by severity and impact (`by_impact`), then by lines.

    `unchecked` are rules of the catalogue that failed; `rule_count` is the number of rule lines checked, in
    `table_count` tables, beside `server_count` virtual servers of IPVS; `partial` if some text was a fragment or
    restore input, where absence means nothing, or lacks virtual servers; `known` is the number of findings that a
    baseline hid, `spared` those that the dump's comments or the configuration hid. `sources` are the dumps audited, or
    the `node_count` nodes that were compared with the cluster's objects, `not_compared` those that could not be;
    `failed` are tools whose rules the dumps lack.
    """

    findings: tuple[Finding, ...]
    unchecked: tuple[Unchecked, ...] = ()
    rule_count: int = 0
    partial: bool = False
    known: int = 0
    elsewhere: int = 0
    spared: int = 0
    sources: tuple[str, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()
    table_count: int = 0
    server_count: int = 0
    node_count: int = 0
    failed: tuple[FailedTool, ...] = ()

    def count(self, severity: Severity) -> int:
        """The number of findings with this severity."""
        return sum(finding.severity is severity for finding in self.findings)

    def worst(self) -> Severity | None:
        """The highest severity found; None without findings."""
        return max((finding.severity for finding in self.findings), key=lambda severity: severity.rank, default=None)

    def keep(self, wanted: Callable[[Finding], bool]) -> Report:
        """This report with the selected findings only."""
        return replace(self, findings=tuple(filter(wanted, self.findings)))

    def about(self, services: Container[str]) -> Report:
        """This report with the findings about these Services only, and errors of the node, which affect all."""

        def wanted(finding: Finding) -> bool:
            named = [each for each in (finding.service, *finding.services) if each is not None]
            return any(each in services for each in named) if named else finding.severity is Severity.ERROR

        kept = self.keep(wanted)
        return replace(kept, elsewhere=self.elsewhere + len(self.findings) - len(kept.findings))

    def overridden(self, overrides: Overrides) -> Report:
        """This report with a configuration's severities, and without the findings that it ignores by path."""
        changed = [(finding, overrides.apply(finding)) for finding in self.findings]
        if all(new is old for old, new in changed):
            return self
        kept = sorted((new for _, new in changed if new is not None), key=_order)
        return replace(self, findings=tuple(kept), spared=self.spared + len(changed) - len(kept))

    def without(self, baseline: Baseline) -> Report:
        """This report without the findings in a baseline."""
        kept = self.keep(lambda finding: not baseline.holds(finding))
        return replace(kept, known=self.known + len(self.findings) - len(kept.findings))


def audit_dump(dump: Dump, explanation: Explanation | None = None) -> Report:
    """Check a dump with all rules. `explanation` is the analyzers' result, if there is one already."""
    return audit_node([dump], explanation=explanation)


def audit_node(
    dumps: Sequence[Dump], rules: Sequence[AuditRule] | None = None, explanation: Explanation | None = None
) -> Report:
    """Check several dumps of one node, taken at the same time with its different tools. `explanation` is the analyzers'
    result for all of them together."""
    context = DumpContext(*dumps, explanation=explanation)
    rules = catalogue() if rules is None else rules
    # All rules run even if few are selected: which of two findings reports a fault must not depend on the selection.
    findings: list[Finding] = []
    effects: list[LossFinding] = []
    unchecked: list[Unchecked] = []
    with collector_paused():
        with suppress(Exception):  # each rule that needs it will say so
            _ = context.explanation  # first, before the rules' facts take memory beside the walk's
        for audit_rule in each_of(rules, "checking rules"):
            try:
                for judged, fault in audit_rule.faults(context):
                    finding = _finding(audit_rule, judged, fault)
                    if audit_rule.catch_all:
                        effects.append(LossFinding(finding, of_chain=not fault.at.text))
                    else:
                        findings.append(finding)
            except Exception as error:  # one broken rule must not silence the others
                unchecked.append(Unchecked(audit_rule.id, context.dumps[0].source, error))
    kept = without_consequences(findings, rules)
    # Numbered by place, so that a fingerprint does not depend on how much is lost there.
    numbered = sorted(_numbered(sorted(with_effects(kept, effects), key=_by_place)), key=_order)
    shown = _not_ignored(numbered, context) if numbered else []
    nft = context.whole.nft
    sizes = [table.rule_count for each in context.rulesets for table in each.ruleset.tables.values()]
    sizes += [table.rule_count for table in nft.tables.values()] if nft is not None else []
    partial = any(each.ruleset.fragment for each in context.rulesets) or (nft is not None and nft.fragment)
    partial = partial or (not unchecked and _lacks_servers(context))
    servers = [each.node.virtual_servers for each in context.dumps if each.node.virtual_servers is not None]
    partial = partial or not all(each.complete for each in servers)
    sources = _with_rules(context, {finding.source for finding in numbered})
    spared = len(numbered) - len(shown)
    return Report(
        tuple(shown),
        tuple(unchecked),
        sum(sizes),
        partial,
        spared=spared,
        sources=sources,
        table_count=len(sizes),
        server_count=sum(len(each.servers) for each in servers),
        failed=tuple(dict.fromkeys(each for dump in context.dumps for each in dump.failed)),
    )


def _lacks_servers(context: DumpContext) -> bool:
    """Whether kube-proxy keeps its Services in IPVS, and these dumps do not show it."""
    in_ipvs = any(each.facts.mode is ProxyMode.IPVS for each in context.rulesets)
    return in_ipvs and next(context.of_ipvs(), None) is None


def _with_rules(context: DumpContext, accused: Container[str]) -> tuple[str, ...]:
    """The dumps that hold rules or are `accused`; all if none do. A node's sets and addresses are no dumps to audit."""
    held = [dump.source for dump in context.dumps if dump.rulesets or dump.nft is not None or dump.source in accused]
    return tuple(dict.fromkeys(held or [dump.source for dump in context.dumps]))


def _not_ignored(findings: list[Finding], context: DumpContext) -> list[Finding]:
    """The findings that no comment of the dump excludes."""
    from ipt_explain.audit.settings.exceptions import ignored_in_text

    texts = {each.source: each.text for each in context.contexts}
    return [
        finding
        for finding in findings
        if finding.line is None or not ignored_in_text(texts[finding.source], finding.line, finding.rule, finding.name)
    ]


def _by_place(finding: Finding) -> tuple[str, int, str]:
    return finding.source, finding.line or 0, finding.rule


def _order(finding: Finding) -> tuple[str, tuple[int, bool, float, int], int, str]:
    return finding.source, by_impact(finding), finding.line or 0, finding.rule


def merge(reports: Sequence[Report]) -> Report:
    """Several reports as one."""
    return Report(
        tuple(finding for report in reports for finding in report.findings),
        tuple(failure for report in reports for failure in report.unchecked),
        sum(report.rule_count for report in reports),
        any(report.partial for report in reports),
        spared=sum(report.spared for report in reports),
        sources=tuple(dict.fromkeys(source for report in reports for source in report.sources)),
        table_count=sum(report.table_count for report in reports),
        server_count=sum(report.server_count for report in reports),
        failed=tuple(dict.fromkeys(each for report in reports for each in report.failed)),
    )


def _finding(audit_rule: AuditRule, context: BackendContext, fault: Fault) -> Finding:
    place = fault.at
    table = place.table or context.table_of(place.chain, place.line)
    excerpt = context.text.line(place.line) if place.line is not None else ""
    services = fault.services if len(fault.services) > 1 else ()
    service = fault.services[0] if len(fault.services) == 1 else fault.service
    if service is None and not services and place.chain is not None:
        service = context.service_of(place.chain)
    return Finding(
        rule=audit_rule.id,
        name=audit_rule.slug,
        severity=fault.severity or audit_rule.severity,
        message=fault.message,
        help=fault.help,
        source=context.source,
        family=context.family,
        service=service,
        services=services,
        impact=fault.impact,
        table=table,
        chain=place.chain,
        line=place.line,
        related_lines=tuple(dict.fromkeys(line for line in fault.related if line != place.line)),
        excerpt=excerpt,
        columns=_columns(excerpt, place.focus),
        fingerprint=fingerprint(
            audit_rule.id, context.family.value, table, place.chain, service, place.text, fault.key
        ),
    )


def _columns(excerpt: str, focus: str) -> tuple[int, int] | None:
    """Where `focus` is in the line; otherwise the rule's target (`-j DROP`); otherwise the unindented line."""
    if not excerpt.strip():
        return None
    start = excerpt.find(focus) if focus else -1
    if start >= 0:
        return start + 1, start + 1 + len(focus)
    text = excerpt.rstrip()
    # Words in a comment are not options.
    unquoted = _QUOTED.sub(lambda found: "." * len(found[0]), text) if "-A " in text else ""
    start = max(unquoted.rfind(" -j "), unquoted.rfind(" -g ")) + 1 or len(text) - len(text.lstrip())
    return start + 1, len(text) + 1


def _numbered(findings: list[Finding]) -> list[Finding]:
    """Findings with equal fingerprints get `:2`, `:3`, … so that each has its own."""
    seen: Counter[str] = Counter()
    numbered: list[Finding] = []
    for finding in findings:
        seen[finding.fingerprint] += 1
        count = seen[finding.fingerprint]
        numbered.append(finding if count == 1 else replace(finding, fingerprint=f"{finding.fingerprint}:{count}"))
    return numbered
