"""Rules of others that take Service traffic before kube-proxy's chains see it, and rules that masquerade it in its
place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ipt_explain.analyzers.ahead import Ahead, Probe, Taken
from ipt_explain.analyzers.hooks import HookState
from ipt_explain.model import Chain, Rule, Ruleset
from ipt_explain.netfilter.addresses import parse_address
from ipt_explain.records import dataclass
from ipt_explain.services.ports import Frontend, FrontendKind, ServicePort

_NAT_STOPS = frozenset({"ACCEPT", "DNAT", "REDIRECT", "NETMAP", "DROP", "REJECT"})
_DROPS = frozenset({"DROP", "REJECT"})
_RAW_STOPS = _DROPS | {"NOTRACK", "CT"}
_SNAT_STOPS = frozenset({"ACCEPT", "SNAT", "MASQUERADE", "NETMAP", "DROP"})
# Where other programs rule over many, not every Service is tried.
_MAX_PROBES = 4_000


@dataclass(frozen=True, slots=True)
class Interception:
    """A rule (None: the policy of `chain`) that takes packets for these frontends of these services."""

    table: str
    chain: Chain
    rule: Rule | None
    partly: bool
    victims: tuple[tuple[ServicePort, Frontend], ...]


def interceptions(
    ruleset: Ruleset, services: Sequence[ServicePort], hooks: Iterable[HookState]
) -> tuple[Interception, ...]:
    """What takes Service traffic ahead of nat's hooks: in raw, in mangle, and in nat itself."""
    found: list[Interception] = []
    for state in hooks:
        if state.hook.table == "nat" and state.hook.built_in != "POSTROUTING" and state.rules and state.built_in:
            ahead = Ahead(ruleset.tables["nat"], state.built_in, state.rules[0], _NAT_STOPS)
            found += _intercepted("nat", state.built_in, ahead, services)
    for name, stops in (("raw", _RAW_STOPS), ("mangle", _DROPS)):
        table = ruleset.tables.get(name)
        for chain in table.chains.values() if table is not None else ():
            if chain.policy == "DROP":
                found.append(Interception(name, chain, None, False, ()))
            elif chain.name in ("PREROUTING", "OUTPUT") and table is not None:
                found += _intercepted(name, chain, Ahead(table, chain, None, stops), services)
    return tuple(found)


def _intercepted(table: str, chain: Chain, ahead: Ahead, services: Sequence[ServicePort]) -> Iterator[Interception]:
    if not ahead.may_stop:
        return
    taken: dict[int, tuple[Taken, list[tuple[ServicePort, Frontend]]]] = {}
    for service, frontend in _frontends(services):
        hit = ahead.takes(_probe(service, frontend))
        if hit is not None and not _is_meant(table, hit.rule):
            taken.setdefault(id(hit.rule), (hit, []))[1].append((service, frontend))
    for hit, victims in taken.values():
        yield Interception(table, chain, hit.rule, hit.partly, tuple(victims))


def _frontends(services: Sequence[ServicePort]) -> Iterator[tuple[ServicePort, Frontend]]:
    total = sum(len(service.frontends) for service in services)
    step = total // _MAX_PROBES + 1
    for service in services[::step]:
        for frontend in service.frontends:
            if frontend.rule.target not in _DROPS:
                yield service, frontend


def _probe(service: ServicePort, frontend: Frontend) -> Probe:
    destination = None if frontend.address is None else parse_address(frontend.address)
    local = {FrontendKind.CLUSTER_IP: False, FrontendKind.NODE_PORT: True}.get(frontend.kind)
    return Probe(destination, service.protocol, frontend.port, local)


def _is_meant(table: str, rule: Rule) -> bool:
    """Whether a rule takes Service traffic by design: NodeLocal DNSCache keeps connection tracking off the DNS
    Service's address.

    Zones and helpers of `CT` do not take packets.
    """
    if table != "raw":
        return False
    if rule.target == "CT" and rule.shape.target_option("--notrack") is None:
        return True
    return "NodeLocal DNS" in (rule.comment or "")


def earlier_snat(ruleset: Ruleset, services: Sequence[ServicePort], hook: HookState, mark: int) -> Taken | None:
    """A rule ahead of KUBE-POSTROUTING that takes marked packets on their way to pods."""
    if not hook.rules or hook.built_in is None:
        return None
    ahead = Ahead(ruleset.tables["nat"], hook.built_in, hook.rules[0], _SNAT_STOPS)
    if not ahead.may_stop:
        return None
    for probe in _marked_packets(services, mark):
        taken = ahead.takes(probe)
        if taken is not None:
            return taken
    return None


# So many endpoints stand for all.
_SAMPLE = 16


def _marked_packets(services: Sequence[ServicePort], mark: int) -> Iterator[Probe]:
    """Packets to endpoints that carry the masquerade mark, from pods of the dump or from clients of any address."""
    pods = [
        (service.protocol, parse_address(endpoint.address), endpoint.port)
        for service in services
        if (service.namespace, service.name) != ("default", "kubernetes")
        for endpoint in service.endpoints[:1]
        if endpoint.address is not None
    ][:_SAMPLE]
    full = (1 << 128) - 1
    sources = tuple((address, full) for _, address, _ in pods)
    for protocol, address, port in pods:
        yield Probe(address, protocol, port, local=False, mark=mark, sources=sources)
