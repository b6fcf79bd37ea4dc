"""Which Services a user selected: by name, namespace or address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from ipt_explain.analyzers import explain, explain_all
from ipt_explain.analyzers.names import ServicePortName
from ipt_explain.errors import UsageError
from ipt_explain.model import Backend, Dump
from ipt_explain.records import Record, replace
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.ports import ServicePort
from ipt_explain.words import counted

_SUGGESTIONS = 3
# The similarity (0 to 1, from difflib) from which on a name is suggested.
_ALIKE = 0.5


class NoServices(UsageError):
    """There are no Services to select from; the message says why."""

    @classmethod
    def of(cls, explanation: Explanation) -> NoServices:
        """The error for an explanation without Services."""
        from ipt_explain.services.absence import NO_SERVICE, absence

        return cls(f"{NO_SERVICE}: {absence(explanation) or 'there are no rules'}")


class Glob(Record):
    """A word with `*`, `?` and `[...]`, compiled once. It is case-sensitive, as in Kubernetes."""

    text: str
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> Glob:
        """The glob that a user wrote."""
        from fnmatch import translate

        return cls(text, re.compile(translate(text)))

    def fits(self, word: str | None) -> bool:
        """Whether the glob matches a word. An unknown word counts as an empty one."""
        return self.pattern.match(word or "") is not None


class ServiceGlob(Record):
    """`[NAMESPACE/]NAME[:PORT]`, each part a glob. PORT is a port's name or number."""

    text: str
    namespace: Glob | None
    name: Glob
    port: Glob | None

    @classmethod
    def of(cls, text: str) -> ServiceGlob:
        """The pattern that a user wrote."""
        namespace, slash, rest = text.rpartition("/")
        name, colon, port = rest.partition(":")
        return cls(text, Glob.of(namespace) if slash else None, Glob.of(name or "*"), Glob.of(port) if colon else None)

    def may_fit(self, name: ServicePortName) -> bool:
        """Whether the pattern may match a service port of this name. A port number may always match."""
        return (
            self.name.fits(name.name)
            and (self.namespace is None or self.namespace.fits(name.namespace))
            and (self.port is None or self.port.fits(name.port) or self.port.text[:1] in "0123456789*?[")
        )

    def fits(self, service: ServicePort) -> bool:
        """Whether the pattern matches a service port. If the dump lacks its name, its chains' names count."""
        if service.name is None:
            chains = service.chains
            known = (chains.service, chains.local, chains.external, chains.firewall)
            return self.namespace is None and any(chain is not None and self.name.fits(chain) for chain in known)
        return (
            self.name.fits(service.name)
            and (self.namespace is None or self.namespace.fits(service.namespace))
            and (self.port is None or self.port.fits(service.port_name) or self.port.fits(str(service.port)))
        )


class Selection(Record):
    """What to keep: Services that match any of `services`, any of `namespaces`, and any of `addresses`; an empty one
    matches everything."""

    services: tuple[ServiceGlob, ...] = ()
    namespaces: tuple[Glob, ...] = ()
    addresses: tuple[str, ...] = ()

    @classmethod
    def of(cls, services: Iterable[str], namespaces: Iterable[str], addresses: Iterable[str]) -> Selection:
        """The selection that a user wrote. Raises UsageError for an invalid address."""
        return cls(
            tuple(map(ServiceGlob.of, services)), tuple(map(Glob.of, namespaces)), tuple(map(_canonical, addresses))
        )

    def __bool__(self) -> bool:
        return bool(self.services or self.namespaces or self.addresses)

    def may_fit(self, name: ServicePortName | None) -> bool:
        """Whether a service port of this name (None: unknown) may be selected."""
        return name is None or (
            (not self.services or any(glob.may_fit(name) for glob in self.services))
            and (not self.namespaces or any(glob.fits(name.namespace) for glob in self.namespaces))
        )

    def fits(self, service: ServicePort) -> bool:
        """Whether a service port is selected."""
        return (
            (not self.services or any(glob.fits(service) for glob in self.services))
            and (not self.namespaces or any(glob.fits(service.namespace) for glob in self.namespaces))
            and (not self.addresses or not _addresses_of(service).isdisjoint(self.addresses))
        )


def _canonical(address: str) -> str:
    from ipaddress import ip_address  # imported here because few command lines need it

    try:
        return str(ip_address(address.strip("[]")))
    except ValueError:
        raise UsageError(f"--address {address}: not an IPv4 or IPv6 address") from None


def _addresses_of(service: ServicePort) -> set[str]:
    """Every address of a service port, in canonical text: its frontends' and its endpoints'."""
    written = {service.cluster_ip}
    written.update(frontend.address for frontend in service.frontends)
    written.update(endpoint.address for endpoint in service.endpoints)
    return {_same_text(address) for address in written if address is not None}


def _same_text(address: str) -> str:
    # iptables prints each IPv4 address in only one way; people can write an IPv6 address in many.
    if ":" not in address:
        return address
    try:
        return _canonical(address)
    except UsageError:
        return address


Naming = Callable[[Explanation], Explanation]
"""Gives service ports names that the node does not have."""


def explain_selected(
    dumps: Sequence[Dump], selection: Selection, named: Naming | None = None
) -> tuple[Explanation, int]:
    """The explanation of the selected services, and the number of all service ports.

    Services that their names exclude are counted but not read, unless they are `named` afterwards. Raises UsageError,
    which names the closest services, if nothing fits.
    """
    if named is not None:
        everything = named(explain_all(dumps))
        return select(everything, selection), len(everything.services)
    if not selection:
        everything = explain_all(dumps)
        return everything, len(everything.services)
    if len(dumps) > 1:
        from ipt_explain.model.node.joining import as_nodes

        dumps = as_nodes(dumps)
    total = 0

    def wanted(name: ServicePortName | None, _: object) -> bool:
        nonlocal total
        total += 1
        return selection.may_fit(name)

    read = Explanation.joined([explain(dump, wanted) for dump in dumps])
    if not any(map(selection.fits, read.services)):
        # Only for the names and addresses of existing Services.
        read = Explanation.joined([explain(dump, followed=False) for dump in dumps])
    return select(read, selection), total


def explain_nodes(dumps: Sequence[Dump], named: Naming | None) -> list[Explanation]:
    """The explanation of each node in the dumps."""
    from ipt_explain.model.node.joining import as_nodes

    found = map(explain, as_nodes(dumps))
    return list(found if named is None else map(named, found))


def select(explanation: Explanation, selection: Selection) -> Explanation:
    """The explanation with only the selected services.

    Raises UsageError, which names the closest services, if nothing fits, and NoServices if there are none.
    """
    if not selection:
        return explanation
    kept = tuple(service for service in explanation.services if selection.fits(service))
    if not kept:
        if not explanation.services:
            raise NoServices.of(explanation)
        raise UsageError(_miss(explanation.services, selection))
    return replace(explanation, services=kept)


def _miss(services: Sequence[ServicePort], selection: Selection) -> str:
    asked = (
        *(f"--service {glob.text}" for glob in selection.services),
        *(f"--namespace {glob.text}" for glob in selection.namespaces),
        *(f"--address {address}" for address in selection.addresses),
    )
    nearest = _nearest(services, selection)
    hint = f" Nearest: {', '.join(nearest)}." if nearest else ""
    nameless = all(service.name is None and service.backend is Backend.IPVS for service in services)
    if nameless and (selection.services or selection.namespaces):
        hint = " IPVS stores no names: use an address, or --objects FILE."
    return f"no Service matches {' '.join(asked)} (searched {counted(len(services), 'service port')}).{hint}"


def _nearest(services: Sequence[ServicePort], selection: Selection) -> list[str]:
    """The names closest to the first word that matches nothing, even alone."""
    for glob in selection.services:
        if not any(map(glob.fits, services)):
            return _alike(glob.text, {name for service in services for name in _names(service, glob)})
    for part in selection.namespaces:
        namespaces = {service.namespace or "" for service in services}
        if not any(map(part.fits, namespaces)):
            return _alike(part.text, namespaces)
    for address in selection.addresses:
        addresses = {known for service in services for known in _addresses_of(service)}
        if address not in addresses:
            return _alike(address, addresses)
    return []


def _names(service: ServicePort, glob: ServiceGlob) -> tuple[str, ...]:
    """A service port's name in as many parts as the pattern has."""
    if service.name is None:
        return (service.label,)
    name = service.name if glob.namespace is None else f"{service.namespace}/{service.name}"
    if glob.port is None:
        return (name,)
    return tuple(f"{name}:{port}" for port in (service.port_name, service.port) if port)


def _alike(word: str, known: Iterable[str]) -> list[str]:
    """The names similar to the word, or if there are none, the closest ones."""
    import difflib

    names = sorted(filter(None, known))
    return difflib.get_close_matches(word, names, _SUGGESTIONS, _ALIKE) or difflib.get_close_matches(
        word, names, _SUGGESTIONS, cutoff=0.0
    )
