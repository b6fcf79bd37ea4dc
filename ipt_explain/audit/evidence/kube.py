"""Facts about kube-proxy's own rules that several rules of the catalogue ask for: thin ways to their analyzers."""

from __future__ import annotations

from ipt_explain.analyzers.cluster_ip_marks import ClusterIpMarks, MarkReader, read_cluster_ip_marks
from ipt_explain.analyzers.hairpins import BrokenHairpin, broken_hairpins
from ipt_explain.analyzers.hooks import HookState, hook_states
from ipt_explain.analyzers.interception import Interception, interceptions
from ipt_explain.analyzers.kube_services import ServicesChain, read_services_chain
from ipt_explain.analyzers.marking import Marking, read_marking
from ipt_explain.analyzers.names import MARK_DROP, MARK_MASQ
from ipt_explain.analyzers.writer import Writer, writer_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.marks.external import ExternalMarkReader, UnmarkedFrontend
from ipt_explain.model.by_shape import rules_by_shape
from ipt_explain.services.ports import ProxyMode


def writer(context: RulesetContext) -> Writer:
    """Who wrote the ruleset."""
    return context.derived(_writer)


def hooks(context: RulesetContext) -> tuple[HookState, ...]:
    """The hooks of a ruleset, those that stand and those that should."""
    return context.derived(_hooks)


def _writer(context: RulesetContext) -> Writer:
    return writer_of(context.ruleset, context.facts.mode)


def _hooks(context: RulesetContext) -> tuple[HookState, ...]:
    return hook_states(context.ruleset, writer(context), lambda table, chain: _reached(context, table, chain))


def _reached(context: RulesetContext, table: str, chain: str) -> frozenset[str]:
    graph = context.graph(table)
    return frozenset() if graph is None else graph.reachable_from(chain)


def services_chain(context: RulesetContext) -> ServicesChain:
    """nat KUBE-SERVICES as kube-proxy's iptables mode writes it; nothing of it in ipvs mode, which writes it
    otherwise.
    """
    if context.facts.mode is ProxyMode.IPVS:
        return ServicesChain()
    return context.fact(read_services_chain)


def masquerade_marking(context: RulesetContext) -> Marking | None:
    """KUBE-MARK-MASQ, if the text has it."""
    return context.derived(_masquerade_marking)


def drop_marking(context: RulesetContext) -> Marking | None:
    """KUBE-MARK-DROP, if the text has it."""
    return context.derived(_drop_marking)


def _masquerade_marking(context: RulesetContext) -> Marking | None:
    return read_marking(context.ruleset, MARK_MASQ)


def _drop_marking(context: RulesetContext) -> Marking | None:
    return read_marking(context.ruleset, MARK_DROP)


def hairpins(context: RulesetContext) -> tuple[BrokenHairpin, ...]:
    """Endpoints whose own connections are not marked as they should be."""
    return context.derived(_hairpins)


def _hairpins(context: RulesetContext) -> tuple[BrokenHairpin, ...]:
    return broken_hairpins(context.ruleset, context.services)


def mark_reader(context: RulesetContext) -> MarkReader:
    """The rules that lead to KUBE-MARK-MASQ outside of endpoint chains."""
    return context.derived(_mark_reader)


def cluster_ip_marks(context: RulesetContext) -> ClusterIpMarks:
    """Which ClusterIP connections are marked for masquerading, service by service."""
    return context.derived(_cluster_ip_marks)


def _mark_reader(context: RulesetContext) -> MarkReader:
    return MarkReader(context.fact(rules_by_shape).get("nat", {}))


def _cluster_ip_marks(context: RulesetContext) -> ClusterIpMarks:
    return read_cluster_ip_marks(context.ruleset, mark_reader(context), context.services)


def external_marks(context: RulesetContext) -> tuple[UnmarkedFrontend, ...]:
    """Frontends from outside whose way lacks a mark for masquerading."""
    return context.derived(_external_marks)


def _external_marks(context: RulesetContext) -> tuple[UnmarkedFrontend, ...]:
    reader = ExternalMarkReader(context.ruleset, mark_reader(context), writer(context))
    return tuple(reader.read(context.services))


def intercepted(context: RulesetContext) -> tuple[Interception, ...]:
    """What takes Service traffic ahead of kube-proxy's hooks."""
    return context.derived(_intercepted)


def _intercepted(context: RulesetContext) -> tuple[Interception, ...]:
    return interceptions(context.ruleset, context.services, hooks(context))


def is_marked(context: RulesetContext) -> bool:
    """Whether any rule leads to KUBE-MARK-MASQ."""
    graph = context.graph("nat")
    return graph is not None and graph.is_called(MARK_MASQ)
