"""The chains of services that a user names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipt_explain.analyzers.selection import Selection, explain_selected
from ipt_explain.errors import UsageError
from ipt_explain.model import Dump
from ipt_explain.services.ports import ServicePort


def chains_of_services(dumps: Sequence[Dump], services: Iterable[str]) -> set[str]:
    """The names of all chains that belong to the services of these `[NS/]NAME[:PORT]` globs.

    Raises UsageError where no service fits, or where those that do have no chains.
    """
    chosen, _ = explain_selected(dumps, Selection.of(services, (), ()))
    chains = {chain for service in chosen.services for chain in chains_of(service)}
    if not chains:
        named = ", ".join(service.label for service in chosen.services)
        raise UsageError(f"{named}: no chains, as a service without usable endpoints has none")
    return chains


def chains_of(service: ServicePort) -> Iterable[str]:
    """The chains of one service port: by role, those that balance, and its endpoints'."""
    own = service.chains
    yield from filter(None, (own.service, own.local, own.external, own.firewall))
    yield from (balancer.chain for balancer in service.balancers)
    yield from (endpoint.chain for endpoint in service.endpoints)
