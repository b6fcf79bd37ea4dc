"""What happens to connections to one Service that do not arrive: losses, answers of other programs, what is unknown."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.model import Backend
from ipt_explain.services.fates import NAT_NOT_SHOWN, NFT_NOT_SHOWN, Loss, Lost, Vantage
from ipt_explain.services.ports import Frontend, FrontendKind, FrontendVerdict, ServicePort, ServiceState

# Smaller shares come from rounding to 31-bit probabilities.
_NOTHING = 1e-9


def losses(service: ServicePort) -> Iterator[tuple[Frontend, Vantage, Lost]]:
    """The losses of a service port by any frontend. Connections that another program answers are not lost, and unknown
    ones are not known to be."""
    for frontend, vantage, lost in _lost(service):
        if lost.how not in (Loss.INTERCEPTED, Loss.UNKNOWN) and not declined_anyway(frontend, vantage, lost):
            yield frontend, vantage, lost


def answered(service: ServicePort) -> Iterator[tuple[Vantage, Lost]]:
    """The connections to a service port that another program answers instead, such as node-local-dns."""
    for _, vantage, lost in _lost(service):
        if lost.how is Loss.INTERCEPTED:
            yield vantage, lost


def answering(service: ServicePort) -> str | None:
    """The program that answers connections to a service port instead of its endpoints; None if there is none, or if
    other connections are lost."""
    if service.state is ServiceState.SERVING or any(losses(service)):
        return None
    return next((lost.decider.owner for _, lost in answered(service)), None)


def declined_anyway(frontend: Frontend, vantage: Vantage, lost: Lost) -> bool:
    """Whether a rule stops connections from outside that the Service itself would have refused, or lets those to a
    node port reach the node, where nothing listens."""
    rejects, outside = frontend.verdict is FrontendVerdict.REJECT, vantage is Vantage.OUTSIDE
    declines = outside and (rejects or frontend.verdict is FrontendVerdict.DROP)
    if frontend.kind is FrontendKind.NODE_PORT and lost.how is Loss.UNTRANSLATED:
        return rejects or declines
    return declines and lost.how in (Loss.DROPPED, Loss.REJECTED)


def at_other_address(frontend: Frontend, lost: Lost) -> bool:
    """Whether a node port is lost only at addresses of the node that --nodeport-addresses leaves out."""
    assumed = (statement for each in lost.when for statement in each.statements)
    return frontend.address is None and any(statement.startswith("not -d ") for statement in assumed)


def open_questions(service: ServicePort) -> Iterator[str]:
    """The open questions of a service port's fates, without the packet's details in brackets; if the text shows no
    frontend, what leads to one."""
    if not service.frontends:
        yield NFT_NOT_SHOWN if service.backend is Backend.NFTABLES else NAT_NOT_SHOWN
    for frontend in service.frontends:
        for question in frontend.fates.open if frontend.fates is not None else ():
            yield question.rpartition(" (")[0] if question.endswith(")") else question


def reasons(service: ServicePort) -> tuple[str, ...]:
    """Why it is unknown what happens to connections to a service port, whatever the answers to questions are."""
    return tuple(dict.fromkeys(lost.why for _, _, lost in _lost(service) if lost.how is Loss.UNKNOWN))


def _lost(service: ServicePort) -> Iterator[tuple[Frontend, Vantage, Lost]]:
    for frontend in service.frontends:
        if frontend.fates is None or not frontend.fates.loses_any:
            continue
        for vantage, fate in frontend.fates.items():
            for lost in fate.lost:
                if lost.probability > _NOTHING:
                    yield frontend, vantage, lost
