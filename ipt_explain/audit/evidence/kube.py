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
from ipt_explain.audit.fact import fact
from ipt_explain.services.ports import ProxyMode


@fact
def writer(context: RulesetContext) -> Writer:
    """Who wrote the ruleset."""
    return writer_of(context.ruleset, context.facts.mode, context.version)


@fact
def hooks(context: RulesetContext) -> tuple[HookState, ...]:
    """The hooks of a ruleset, those that stand and those that should."""

    def reached(table: str, chain: str) -> frozenset[str]:
        graph = context.graph(table)
        return frozenset() if graph is None else graph.reachable_from(chain)

    return hook_states(context.ruleset, writer(context), reached)


@fact
def services_chain(context: RulesetContext) -> ServicesChain:
    """nat KUBE-SERVICES as kube-proxy's iptables mode writes it; nothing of it in ipvs mode, which writes it
    otherwise.
    """
    return ServicesChain() if context.facts.mode is ProxyMode.IPVS else read_services_chain(context.ruleset)


@fact
def masquerade_marking(context: RulesetContext) -> Marking | None:
    """KUBE-MARK-MASQ, if the text has it."""
    return read_marking(context.ruleset, MARK_MASQ)


@fact
def drop_marking(context: RulesetContext) -> Marking | None:
    """KUBE-MARK-DROP, if the text has it."""
    return read_marking(context.ruleset, MARK_DROP)


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


@fact
def external_marks(context: RulesetContext) -> tuple[UnmarkedFrontend, ...]:
    """Frontends from outside whose way lacks a mark for masquerading."""
    reader = ExternalMarkReader(context.ruleset, mark_reader(context), writer(context))
    return tuple(reader.read(context.services))


@fact
def intercepted(context: RulesetContext) -> tuple[Interception, ...]:
    """What takes Service traffic ahead of kube-proxy's hooks."""
    return interceptions(context.ruleset, context.services, hooks(context))


def is_marked(context: RulesetContext) -> bool:
    """Whether any rule leads to KUBE-MARK-MASQ."""
    graph = context.graph("nat")
    return graph is not None and graph.is_called(MARK_MASQ)
