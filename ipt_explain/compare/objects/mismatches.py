"""Where a node's rules contradict the API objects: one mismatch per kind and service port."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ipt_explain.compare.objects.proxy import Intent
from ipt_explain.compare.services.naming import FRONTEND_NAMES, frontend_address_text, frontend_names
from ipt_explain.compare.services.source_ranges import networks_of
from ipt_explain.compare.services.views import Address, ServiceView
from ipt_explain.enums import Enum
from ipt_explain.model import Family
from ipt_explain.records import Record
from ipt_explain.services.evidence import Evidence, Shown
from ipt_explain.services.ports import FrontendKind, FrontendVerdict, ProxyMode, Scope, ServicePort, TrafficPolicy
from ipt_explain.words import address_port, listed, some


class MismatchKind(Enum):
    """Kinds of mismatches; the audit has a rule for each."""

    ENDPOINT_MISSING = "endpoint-missing"
    ENDPOINT_STALE = "endpoint-stale"
    SERVICE_MISSING = "service-missing"
    SERVICE_STALE = "service-stale"
    PORT_DIFFERS = "port-differs"
    AFFINITY_DIFFERS = "affinity-differs"
    POLICY_DIFFERS = "policy-differs"
    NODES_DISAGREE = "nodes-disagree"


class Mismatch(Record):
    """One mismatch. `lines` are lines of the dump that show it; the first, most relevant one is in `place` (table and
    chain) and reads `excerpt`. `nodes` are those that have it, if many were compared."""

    kind: MismatchKind
    family: Family
    source: str
    service: str | None
    protocol: str | None
    message: str
    help: str = ""
    lines: tuple[int, ...] = ()
    place: tuple[str, str] | None = None
    excerpt: str = ""
    nodes: tuple[str, ...] = ()


RuleEvidence = Evidence | Shown

RESYNC = "Restart kube-proxy's pod on this node so that it syncs, and check its log for why it did not."


def compare_service(
    intent: Intent, view: ServiceView, service: ServicePort | None, source: str, complete: bool
) -> Iterator[Mismatch]:
    """All mismatches of a service port that the dump has; `service` has its rules, None for a digest.

    `complete`: what the dump lacks does not exist.
    """
    yield from _Case(intent, view, service, source, complete).mismatches()


def missing_service(intent: Intent, source: str) -> Mismatch:
    """The mismatch for a service port that the dump lacks."""
    count = len(intent.everywhere)
    endpoints = some(count, "endpoint")
    place = f"{frontend_address_text((intent.cluster_ip, intent.port.port))}/{intent.port.protocol}"
    message = f"there is no rule for {place}, which has {endpoints}"
    return Mismatch(
        MismatchKind.SERVICE_MISSING, intent.family, source, intent.label, intent.port.protocol, message, RESYNC
    )


def stale_service(view: ServiceView, service: ServicePort | None, source: str) -> Mismatch:
    """The mismatch for a service port that the cluster no longer has."""
    places = ", ".join(frontend_names(view)) or "it"
    message = f"the cluster has no such service port, but there are rules for {places}"
    return Mismatch(
        MismatchKind.SERVICE_STALE, view.family, source, view.label, view.protocol, message, RESYNC,
        *_shown([] if service is None else [frontend.evidence for frontend in service.frontends]),
    )  # fmt: skip


_FROM_STATUS = (FrontendKind.LOAD_BALANCER, FrontendKind.EXTERNAL)


class _Case:
    def __init__(
        self, intent: Intent, view: ServiceView, service: ServicePort | None, source: str, complete: bool
    ) -> None:
        self.intent = intent
        self.view = view
        self.source = source
        self.frontends = () if service is None else service.frontends
        self.endpoints = () if service is None else service.endpoints
        self.complete = complete

    def mismatches(self) -> Iterator[Mismatch]:
        ports = list(self._ports())
        if ports:
            yield self._mismatch(MismatchKind.PORT_DIFFERS, "; ".join(ports))
        policies = list(self._policies())
        if policies:
            yield self._mismatch(MismatchKind.POLICY_DIFFERS, "; ".join(policies))
        yield from self._affinity()
        yield from self._endpoints(bool(policies))

    def _mismatch(self, kind: MismatchKind, message: str, rules: Sequence[RuleEvidence] = ()) -> Mismatch:
        """A mismatch with the lines of these rules, or else of the frontends."""
        return Mismatch(
            kind, self.view.family, self.source, self.intent.label, self.intent.port.protocol, message, RESYNC,
            *_shown(rules or [frontend.evidence for frontend in self.frontends]),
        )  # fmt: skip

    def _ports(self) -> Iterator[str]:
        """Addresses, ports and source ranges that differ."""
        intent, view = self.intent, self.view
        if view.named and view.label != intent.label:
            yield f"its port is now called {intent.port.name or 'nothing'!r}, but the rules are for {view.label}"
        if view.protocol != intent.port.protocol:
            yield f"its protocol is {intent.port.protocol}, but the rules are for {view.protocol}"
        expected = set(_expected_frontends(intent))
        seen = set(view.frontends)
        for address in sorted(expected - seen) if self.complete else ():
            yield f"{frontend_address_text(address)} is missing" if address[0] else f"node port {address[1]} is missing"
        for address in sorted(seen - expected):
            if not intent.service.has_status and view.frontends[address].kind in _FROM_STATUS:
                continue
            name = FRONTEND_NAMES[view.frontends[address].kind]
            yield f"{name} {frontend_address_text(address)} is not the cluster's"
        for address in sorted(expected & seen):
            frontend = view.frontends[address]
            if address[0] in intent.load_balancers and frontend.verdict is FrontendVerdict.BALANCE:
                wanted, found = networks_of(intent.source_ranges), frontend.source_ranges
                if wanted != found:
                    yield f"{address[0]} should admit {_listed(wanted) or 'anyone'}, not {_listed(found) or 'anyone'}"
        same_policy = view.external_policy in (None, _policy(intent.external_local))
        shown = self.complete and same_policy and view.mode is ProxyMode.IPTABLES
        if shown and view.health_check_node_port != intent.health_check_node_port:
            yield f"its health check node port is {intent.health_check_node_port}, not {view.health_check_node_port}"

    def _policies(self) -> Iterator[str]:
        intent, view = self.intent, self.view
        internal = view.internal_policy
        expected = _policy(intent.internal_local)
        if internal is not None and internal is not expected:
            yield f"its internal traffic policy is {expected.value}, but the rules are for {internal.value}"
        elif internal is None and self._balanced_by_other_policy():
            other = _policy(not intent.internal_local)
            yield f"its internal traffic policy is {expected.value}, but the rules balance as for {other.value}"
        expected = _policy(intent.external_local)
        external = view.external_policy
        if external is not None and external is not expected and intent.reachable_from_outside:
            yield f"its external traffic policy is {expected.value}, but the rules are for {external.value}"

    def _balanced_by_other_policy(self) -> bool:
        """Whether the endpoints show the other internal policy, which kube-proxy 1.21 to 1.23 did not write down."""
        intent, pool = self.intent, self.view.pool(Scope.CLUSTER)
        if pool is None or intent.local is None or intent.external_local or pool.endpoints == intent.cluster:
            return False
        if intent.internal_local:
            return bool(intent.everywhere) and pool.endpoints == intent.everywhere
        # A single missing endpoint may simply be too new for the proxy.
        return bool(intent.local) and pool.endpoints == intent.local and len(intent.everywhere - intent.local) > 1

    def _affinity(self) -> Iterator[Mismatch]:
        if not self.view.endpoints() or not self.complete:
            return
        affinity = self.view.affinity
        asked = () if self.intent.affinity_seconds is None else (self.intent.affinity_seconds,)
        found = () if affinity is None else affinity.seconds
        if asked != found or (affinity is not None and affinity.without):
            message = f"session affinity should be {_affinity(asked)}, but the rules have {_affinity(found)}"
            if asked == found and affinity is not None:
                message = f"session affinity lacks {', '.join(affinity.without)}"
            rules = [endpoint.evidence for endpoint in self.endpoints if endpoint.affinity_timeout is not None]
            yield self._mismatch(MismatchKind.AFFINITY_DIFFERS, message, rules[:1])

    def _endpoints(self, other_policy: bool) -> Iterator[Mismatch]:
        missing: set[str] = set()
        stale: set[str] = set()
        for scope, asked, used in (
            (Scope.CLUSTER, self.intent.cluster, self.intent.uses_cluster),
            (Scope.LOCAL, self.intent.local, self.intent.uses_local),
        ):
            pool = self.view.pool(scope)
            if asked is None or (pool is None and (not used or other_policy)):
                continue
            found = pool.endpoints if pool is not None else frozenset()
            # If the rules follow another policy, judge their endpoints by that one.
            if other_policy and found in (self.intent.everywhere, self.intent.local):
                continue
            missing |= asked - found
            stale |= found - asked
        if missing and self.complete:
            there = f"there {'is' if len(missing) == 1 else 'are'} {_listed(missing)}"
            refused = f"connections are {self._fate()} although {there}"
            words = f"no rule leads to {_listed(missing)}" if self.view.endpoints() else refused
            yield self._mismatch(MismatchKind.ENDPOINT_MISSING, words)
        if stale:
            why = "which no longer serves it here" if len(stale) == 1 else "which no longer serve it here"
            message = f"rules still lead to {_listed(stale)}, {why}"
            yield self._mismatch(MismatchKind.ENDPOINT_STALE, message, self._rules_of(stale))
        if not missing and not stale and self.complete and not other_policy:
            yield from self._verdicts()

    def _verdicts(self) -> Iterator[Mismatch]:
        """Connections with another fate, though endpoints are right: those elsewhere decide between DROP and REJECT."""
        for address, frontend in sorted(self.view.frontends.items()):
            internal = frontend.kind is FrontendKind.CLUSTER_IP
            asked = self.intent.cluster_ip_verdict if internal else self.intent.external_verdict
            if asked is frontend.verdict or FrontendVerdict.UNKNOWN in (asked, frontend.verdict):
                continue
            if frontend.kind is FrontendKind.EXTERNAL_IP and FrontendVerdict.BALANCE in (asked, frontend.verdict):
                continue
            pair = (frontend.verdict, asked)
            words = (
                f"connections to {frontend_address_text(address)} should be {asked.done}, not {frontend.verdict.done}"
            )
            if pair == (FrontendVerdict.REJECT, FrontendVerdict.DROP):
                message = f"{words}: other nodes have endpoints that this one does not know about"
                yield self._mismatch(MismatchKind.ENDPOINT_MISSING, message)
            elif pair == (FrontendVerdict.DROP, FrontendVerdict.REJECT):
                message = f"{words}: no node has an endpoint any more"
                yield self._mismatch(MismatchKind.ENDPOINT_STALE, message)
            else:
                yield self._mismatch(MismatchKind.PORT_DIFFERS, words)
            return

    def _rules_of(self, endpoints: set[str]) -> list[RuleEvidence]:
        return [
            each.evidence
            for each in self.endpoints
            if each.address is not None and each.port is not None and address_port(each.address, each.port) in endpoints
        ]

    def _fate(self) -> str:
        verdicts = {frontend.verdict for frontend in self.view.frontends.values()}
        return verdicts.pop().done if len(verdicts) == 1 else "refused"


def _expected_frontends(intent: Intent) -> Iterator[Address]:
    yield intent.cluster_ip, intent.port.port
    for address in (*intent.external_ips, *intent.load_balancers):
        yield address, intent.port.port
    if intent.port.node_port is not None:
        yield "", intent.port.node_port


def _listed(items: Iterable[str]) -> str:
    return listed(sorted(items), 5)


def _policy(local: bool) -> TrafficPolicy:
    return TrafficPolicy.LOCAL if local else TrafficPolicy.CLUSTER


def _affinity(seconds: tuple[int, ...]) -> str:
    return "ClientIP " + ", ".join(f"{each} s" for each in seconds) if seconds else "None"


def _shown(rules: Sequence[RuleEvidence]) -> tuple[tuple[int, ...], tuple[str, str] | None]:
    """The lines of rules, and the place of the first: kube-proxy refuses in filter and does everything else in nat."""
    lines = tuple(dict.fromkeys(each.line for each in rules))
    if not rules or not isinstance(rules[0], Evidence):
        return lines, None
    table = "filter" if rules[0].target in ("REJECT", "DROP") else "nat"
    return lines, (table, rules[0].chain.name)
