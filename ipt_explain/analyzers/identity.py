"""Whether a service port's name matches the hash of its chains."""

from __future__ import annotations

from ipt_explain.analyzers.names import chain_hash, hash_of
from ipt_explain.services.ports import ServicePort


def spelling_in_hash(service: ServicePort) -> str | None:
    """The spelling of a service port's name whose hash is in its chains' names: `ns/name:port`, `ns/name`, or
    `ns/name:` as up to kube-proxy 1.19. None if no spelling fits, or if the name or the chains are unknown."""
    chains = service.chains
    chain = chains.service or chains.local or chains.external or chains.firewall
    found = None if chain is None else hash_of(chain)
    if service.name is None or found is None:
        return None
    full = f"{service.namespace}/{service.name}"
    spellings = (f"{full}:{service.port_name}",) if service.port_name else (full, f"{full}:")
    return next((spelling for spelling in spellings if chain_hash(spelling, service.protocol) == found), None)
