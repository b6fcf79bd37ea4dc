"""Which connections are marked for masquerading."""

from __future__ import annotations

from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.balancing.hairpins import BrokenHairpin, broken_hairpins
from ipt_explain.audit.evidence.marks.cluster_ip_marks import ClusterIpMarks, MarkReader, read_cluster_ip_marks
from ipt_explain.audit.fact import fact


@fact
def hairpins(context: RulesetContext) -> tuple[BrokenHairpin, ...]:
    """Endpoints whose own connections are not marked as they should be."""
    return broken_hairpins(context.ruleset, context.services)


@fact
def mark_reader(context: RulesetContext) -> MarkReader:
    """The rules that lead to KUBE-MARK-MASQ outside of endpoint chains."""
    return MarkReader(context.by_shape.get("nat", {}))


@fact
def cluster_ip_marks(context: RulesetContext) -> ClusterIpMarks:
    """Which ClusterIP connections are marked for masquerading, service by service."""
    return read_cluster_ip_marks(context.ruleset, mark_reader(context), context.services)
