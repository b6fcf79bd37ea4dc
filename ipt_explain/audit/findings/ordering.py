"""Which finding comes first: the more severe; of equally severe ones, the one that takes more traffic."""

from __future__ import annotations

from ipt_explain.audit.findings.finding import Finding


def by_reach(finding: Finding) -> tuple[int, bool, float, int]:
    """A sort key. The most severe come first; of equal severity, those of the whole node (they hit most service ports,
    or name none), then those at whose place most service ports lose connections, then those that name most."""
    named = len(finding.services) or (finding.service is not None)
    return -finding.severity.rank, not finding.of_node, -round(finding.reach.lost, 6), -named
