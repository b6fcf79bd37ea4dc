"""The chains of Services that a user names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ipt_explain.analyzers import explain_all
from ipt_explain.analyzers.selection import Selection, explain_selected
from ipt_explain.errors import UsageError
from ipt_explain.model import Dump
from ipt_explain.services.ports import ServicePort

_PROTOCOL = re.compile(r"/(tcp|udp|sctp)\Z")
_KIND = re.compile(r"\A(?:svc|services?)/")


def chains_of_services(dumps: Sequence[Dump], services: Iterable[str]) -> set[str]:
    """The names of all chains that belong to the services of these `[NS/]NAME[:PORT]` globs.

    Raises UsageError if no Service matches, or those that do have no chains.
    """
    chosen, _ = explain_selected(dumps, Selection.of(services, (), ()))
    chains = {chain for service in chosen.services for chain in _chains_of(service)}
    if not chains:
        named = ", ".join(service.label for service in chosen.services)
        raise UsageError(f"{named}: no chains, as a service without usable endpoints has none")
    return chains


def service_names(dumps: Sequence[Dump]) -> list[str]:
    """The names that services have, with and without namespace and port."""
    services = [service for service in explain_all(dumps).services if service.name is not None]
    return list(dict.fromkeys(name for service in services for name in (str(service.name), service.label)))


def chains_meant(dumps: Sequence[Dump], name: str) -> list[str]:
    """The chains of the services that a user may mean by `kube-dns`, `kube-system/kube-dns:dns`, `svc/kube-dns`,
    `kube-dns.kube-system.svc`, `10.96.0.10`, `10.96.0.10:53` or `10.96.0.10:53/udp`, in the order of services; none if
    no service matches."""
    word, protocol = name, None
    found = _PROTOCOL.search(name)
    if found is not None:
        word, protocol = name[: found.start()], found[1]
    address, port = _address(word)
    services: Sequence[ServicePort] = ()
    for spelled in (address,) if address else _spellings(word):
        selection = Selection.of((), (), (spelled,)) if address else Selection.of((spelled,), (), ())
        try:
            services = explain_selected(dumps, selection)[0].services
        except UsageError:
            continue
        break
    meant = [
        service
        for service in services
        if protocol in (None, service.protocol) and (port is None or _has_port(service, address, port))
    ]
    return list(dict.fromkeys(chain for service in meant for chain in _chains_of(service)))


def _spellings(word: str) -> Iterator[str]:
    """The readings of a word as `[NS/]NAME[:PORT]`: as it is, after kubectl's kind, or as a DNS name."""
    word = _KIND.sub("", word)
    yield word
    name, dot, rest = word.partition(".")
    if dot and rest and "/" not in word:
        yield f"{rest.partition('.')[0]}/{name}"


def _address(name: str) -> tuple[str, int | None]:
    """The address and port of a word; "" if it is a name."""
    host, colon, port = name.rpartition(":")
    if colon and port.isdecimal() and (host.startswith("[") or (":" not in host and "." in host)):
        return host.strip("[]"), int(port)
    is_address = name.count(":") > 1 or name.replace(".", "").isdecimal()
    return (name if is_address else ""), None


def _has_port(service: ServicePort, address: str, port: int) -> bool:
    places: set[tuple[str | None, int | None]] = {(front.address, front.port) for front in service.frontends}
    places.update((endpoint.address, endpoint.port) for endpoint in service.endpoints)
    return (address, port) in places


def _chains_of(service: ServicePort) -> Iterable[str]:
    """The chains of one service port: by role, those that balance, and its endpoints'."""
    own = service.chains
    yield from filter(None, (own.service, own.local, own.external, own.firewall))
    yield from (balancer.chain for balancer in service.balancers)
    yield from (endpoint.chain for endpoint in service.endpoints)
