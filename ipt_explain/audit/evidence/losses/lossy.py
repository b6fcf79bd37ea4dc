"""The fates of connections to Services that get lost, if any do: on most nodes none."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.analyzers.rulesets import may_stop
from ipt_explain.audit.backends import BackendContext, NftContext
from ipt_explain.audit.context import DumpContext, RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.services.fates import Fate, Vantage
from ipt_explain.services.ports import Frontend, FrontendKind, ServicePort

INSIDE = (Vantage.POD, Vantage.NODE)


@fact
def lossy_fates(context: BackendContext) -> Sequence[tuple[ServicePort, Frontend, Vantage, Fate]]:
    """The fates that lose anything, or may, on paths that every release serves."""
    found = []
    in_nftables = isinstance(context, NftContext)  # all its releases serve external addresses to pods and nodes, too
    for service in context.services:
        balances = in_nftables and service.chains.service is not None
        for frontend in service.frontends if service.endpoints or balances else ():
            inside = frontend.kind is FrontendKind.CLUSTER_IP
            for vantage, fate in () if frontend.fates is None else frontend.fates.items():
                served = (vantage in INSIDE) is inside or (in_nftables and not inside)
                served = served or (vantage is Vantage.NODE and frontend.kind is FrontendKind.NODE_PORT)
                if served and (fate.lost or fate.perhaps):
                    found.append((service, frontend, vantage, fate))
    return found


def any_lossy_fates(node: DumpContext) -> bool:
    """Whether there are such fates in any mode and family."""
    return any(map(lossy_fates, node.contexts))


def filter_may_stop(context: RulesetContext) -> bool:
    """Whether filter drops or refuses anything outside kube-proxy's chains."""
    table = context.table("filter")
    return table is not None and any(map(may_stop, table.chains.values()))


def loses_or_may_stop(context: RulesetContext) -> bool:
    """Whether connections get lost, or filter may stop those to endpoints on this node."""
    return bool(lossy_fates(context)) or filter_may_stop(context)
