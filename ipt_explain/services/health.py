"""The health of a node's Services, judged by their fates: losses that one rule causes for most of them, and Services
with problems of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress

from ipt_explain.columns import column
from ipt_explain.enums import Enum
from ipt_explain.records import Record
from ipt_explain.services.fates import Decider, Loss, Lost, Unmasqueraded, Vantage
from ipt_explain.services.losses import answering, losses, open_questions, reasons
from ipt_explain.services.ports import Frontend, FrontendKind, Refusal, ServicePort, ServiceState, TrafficPolicy

# Of a node's Services: at least this part of them, and at least so many.
_MOST_OF_THEM = 0.5
_FEWEST = 2


class Standing(Enum):
    """The health of a Service, worst first."""

    BROKEN = "broken"  # loses connections that it should serve
    HAIRPIN = "hairpin"  # serves all except its own pods, which hang when they reach themselves
    REFUSING = "refusing"  # declines connections by its own rules: no endpoints
    UNKNOWN = "unknown"  # the text does not show enough
    FINE = "fine"


class Trouble(Record):
    """What is wrong with a service port: its worst loss of connections and the vantage points that see it. `by` are the
    kinds of frontends affected, empty if all are.

    `lost` is None if nothing is lost.
    """

    service: ServicePort
    standing: Standing
    lost: Lost | None = None
    vantages: tuple[Vantage, ...] = ()
    by: tuple[FrontendKind, ...] = ()


class NodeCause(Record):
    """A loss that one rule, or a missing one, causes for most Services of a node. `by` is as in Trouble."""

    source: str
    how: Loss
    why: str
    decider: Decider
    probability: float
    vantages: tuple[Vantage, ...]
    services: tuple[ServicePort, ...]
    by: tuple[FrontendKind, ...] = ()


class Doubt(Record):
    """What most Services of a node depend on alike, open questions or reasons, and what is lost for some answers.
    `all_else_arrives`: it is known that connections which these rules do not stop reach the Services' endpoints."""

    questions: tuple[str, ...]
    reasons: tuple[str, ...]
    services: tuple[ServicePort, ...]
    perhaps: tuple[Lost, ...]
    all_else_arrives: bool


class Health(Record):
    """A node's health. `troubles` are those that no cause or doubt fully explains, worst first; `counts` covers all
    Services.

    `unmasqueraded` are Services whose connections are marked for masquerading, if none are masqueraded, or if most are
    not because of the same rule.
    """

    causes: tuple[NodeCause, ...]
    troubles: tuple[Trouble, ...]
    counts: dict[Standing, int]
    unmasqueraded: tuple[ServicePort, ...] = ()
    doubt: Doubt | None = None
    _explained: frozenset[object] = frozenset()

    def explains(self, service: ServicePort, lost: Lost) -> bool:
        """Whether one of the causes explains a loss."""
        return _key(service.source, lost) in self._explained

    @property
    def well(self) -> bool:
        """Whether nothing is broken, refused or unknown."""
        return not (self.causes or self.troubles or self.unmasqueraded or self.doubt)


def health(services: Sequence[ServicePort]) -> Health:
    """The health of the nodes that service ports belong to."""
    causes = _causes(services)
    explained = frozenset(key for key, _ in causes)
    unmasqueraded = unmasqueraded_services(services) or _kept_alike(services)
    masked = set(map(id, unmasqueraded))
    doubt = _doubt(services)
    doubted = set(map(id, doubt.services)) if doubt is not None else set()
    troubles: list[Trouble] = []
    counts = dict.fromkeys(Standing, 0)
    for service in services:
        trouble = trouble_of(service)
        counts[trouble.standing] += 1
        if trouble.lost is not None and explained:
            own = _broken(service, [each for each in _felt(service) if _key(service.source, each[2]) not in explained])
            if own is None:
                continue
            trouble = own
        if trouble.standing is Standing.HAIRPIN and id(service) in masked:
            continue
        if trouble.standing is not Standing.FINE and id(service) not in doubted:
            troubles.append(trouble)
    order = list(Standing)
    troubles.sort(key=lambda each: (order.index(each.standing), -(each.lost.probability if each.lost else 0)))
    return Health(tuple(cause for _, cause in causes), tuple(troubles), counts, unmasqueraded, doubt, explained)


def unmasqueraded_services(services: Sequence[ServicePort]) -> tuple[ServicePort, ...]:
    """The Services that lack hairpin although their connections are marked, if no Service's mark has an effect."""
    lacking: list[ServicePort] = []
    for service in services:
        of_marked = set(compress(column(service.endpoints, "hairpin"), column(service.endpoints, "marked")))
        if True in of_marked:
            return ()
        if False in of_marked:
            lacking.append(service)
    return tuple(lacking)


def keeps_clients(service: ServicePort) -> bool:
    """Whether clients from outside reach a node port with their own source that should be masqueraded."""
    return service.external_policy is not TrafficPolicy.LOCAL and any(
        frontend.fates is not None and frontend.fates.outside.masqueraded is False
        for frontend in service.frontends
        if frontend.kind is FrontendKind.NODE_PORT
    )


def unanswered(clients: bool) -> str:
    """Who gets no reply where nothing is masqueraded; `clients` of node ports among them."""
    also = ", nor does a client of a node port whose endpoint is on another node" if clients else ""
    return f"a pod that connects to itself through its Service gets no reply{also}"


def _kept_alike(services: Sequence[ServicePort]) -> tuple[ServicePort, ...]:
    """The Services whose marked connections the same rule keeps from being masqueraded, if these are most of them."""
    alike: dict[tuple[str, Unmasqueraded], list[ServicePort]] = {}
    for service in services:
        if service.masquerade.kept is not None:
            alike.setdefault((service.source, service.masquerade.kept), []).append(service)
    able = sum(bool(service.endpoints) for service in services)
    most = max(alike.values(), key=len, default=[])
    return tuple(most) if is_most(len(most), able) else ()


def trouble_of(service: ServicePort) -> Trouble:
    """What is wrong with a service port by itself; its standing is FINE if nothing is."""
    broken = _broken(service, _felt(service))
    if broken is not None:
        return broken
    if service.state in (ServiceState.NO_ENDPOINTS, ServiceState.NO_LOCAL_ENDPOINTS) or _declines(service):
        return Trouble(service, Standing.REFUSING)
    if service.state is ServiceState.UNKNOWN:
        return Trouble(service, Standing.UNKNOWN)
    if service.state is not ServiceState.SERVING and answering(service) is None:
        return Trouble(service, Standing.BROKEN)
    lacks_hairpin = False in column(service.endpoints, "hairpin")
    return Trouble(service, Standing.HAIRPIN if lacks_hairpin else Standing.FINE)


def _felt(service: ServicePort) -> list[tuple[Frontend, Vantage, Lost]]:
    """The losses of a service port without those of connections that nothing could serve anyway."""
    found = list(losses(service))
    if service.state is ServiceState.NO_ENDPOINTS:
        found = [each for each in found if each[2].how not in (Loss.DROPPED, Loss.REJECTED)]
    return found


def _broken(service: ServicePort, found: Sequence[tuple[Frontend, Vantage, Lost]]) -> Trouble | None:
    """The trouble that some losses are, if any of these connections should be served."""
    owed = [lost for frontend, vantage, lost in found if _is_owed(frontend, vantage)]
    if not owed:
        return None
    worst = max(owed, key=lambda lost: lost.probability)
    met = [(frontend, vantage) for frontend, vantage, lost in found if lost.how is worst.how]
    vantages = {vantage for _, vantage in met}
    by = _unless_all((service,), [frontend.kind for frontend, _ in met])
    return Trouble(service, Standing.BROKEN, worst, tuple(each for each in Vantage if each in vantages), by)


def _is_owed(frontend: Frontend, vantage: Vantage) -> bool:
    """Whether a cluster should serve such connections. Firewalls may well stop those from outside to ClusterIPs."""
    return frontend.kind is not FrontendKind.CLUSTER_IP or vantage is not Vantage.OUTSIDE


def _unless_all(services: Iterable[ServicePort], kinds: Iterable[FrontendKind]) -> tuple[FrontendKind, ...]:
    """Kinds of frontends; none if the Services have no others."""
    found = tuple(dict.fromkeys(kinds))
    every = {front.kind for service in services for front in service.frontends if front.fates is not None}
    return found if len(found) < len(every) else ()


def _declines(service: ServicePort) -> bool:
    """Whether a service port's own rules decline all connections of pods, as a load balancer's source ranges do."""
    fates = [frontend.fates for frontend in service.frontends if frontend.fates is not None]
    return service.state is ServiceState.BLOCKED and bool(fates) and all(each.pod.refused for each in fates)


def is_most(hit: int, services: int) -> bool:
    """Whether what hits so many of these Services is a problem of the node, not of each Service."""
    return hit >= max(_FEWEST, services * _MOST_OF_THEM)


def _causes(services: Sequence[ServicePort]) -> list[tuple[object, NodeCause]]:
    """The losses that most Services of a source have in common: by the same rule, with the same share."""
    able = [service for service in services if service.endpoints]
    number: dict[str, int] = {}
    for service in able:
        number[service.source] = number.get(service.source, 0) + 1
    hit: dict[object, tuple[Lost, list[tuple[ServicePort, Frontend, Vantage]]]] = {}
    for service in able:
        for frontend, vantage, lost in losses(service):
            hit.setdefault(_key(service.source, lost), (lost, []))[1].append((service, frontend, vantage))
    causes: list[tuple[object, NodeCause]] = []
    for key, (lost, met) in hit.items():
        whom = tuple({id(service): service for service, _, _ in met}.values())
        source = whom[0].source
        if is_most(len(whom), number[source]) and any(_is_owed(frontend, vantage) for _, frontend, vantage in met):
            vantages = tuple(dict.fromkeys(vantage for _, _, vantage in met))
            by = _unless_all(whom, [frontend.kind for _, frontend, _ in met])
            cause = NodeCause(source, lost.how, lost.why, lost.decider, lost.probability, vantages, whom, by)
            causes.append((key, cause))
    return causes


def _doubt(services: Sequence[ServicePort]) -> Doubt | None:
    """What most Services depend on alike, if on nothing else."""
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[ServicePort]] = {}
    for service in services:
        if service.state is ServiceState.UNKNOWN and trouble_of(service).standing is Standing.UNKNOWN:
            alike.setdefault((tuple(dict.fromkeys(open_questions(service))), reasons(service)), []).append(service)
    alike.pop(((), ()), None)
    (asked, why), whom = max(alike.items(), key=lambda each: len(each[1]), default=(((), ()), []))
    if not is_most(len(whom), len(services)):
        return None
    fates = [fate for frontend in whom[0].frontends if frontend.fates for _, fate in frontend.fates.items()]
    perhaps = tuple(lost for fate in fates for lost in fate.perhaps)
    return Doubt(asked, why, tuple(whom), perhaps, not why and _all_else_arrives(whom, perhaps))


def _all_else_arrives(services: Iterable[ServicePort], perhaps: Iterable[Lost]) -> bool:
    """Whether Services lose nothing except what these rules, which are the only ones, drop or reject."""
    stopping = {lost.decider for lost in perhaps}
    return all(
        frontend.fates is not None
        and service.refusal(frontend) is Refusal.OF_NONE
        and not frontend.fates.loses_any
        and all(
            lost.how in (Loss.DROPPED, Loss.REJECTED) and lost.decider in stopping
            for _, fate in frontend.fates.items()
            for lost in fate.perhaps
        )
        for service in services
        for frontend in service.frontends
    )


def _key(source: str, lost: Lost) -> tuple[object, ...]:
    decider = lost.decider
    share = round(lost.probability, 6)
    return source, lost.how, share, decider.ruleset, decider.table, decider.chain, decider.line
