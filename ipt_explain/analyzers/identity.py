"""Whether a service port's name matches the hash of its chains."""

from __future__ import annotations

from ipt_explain.analyzers.names import chain_hash, hash_of
from ipt_explain.services.ports import ServicePort


def spelling_in_hash(service: ServicePort) -> str | None:
    """The spelling of the service port's name (`ns/name:port`, `ns/name`, or the `ns/name:` of kube-proxy up to 1.19)
    whose hash its chains bear; None where none does, or name or chains are not known."""
    chains = service.chains
    chain = chains.service or chains.local or chains.external or chains.firewall
    borne = None if chain is None else hash_of(chain)
    if service.name is None or borne is None:
        return None
    full = f"{service.namespace}/{service.name}"
    spellings = (f"{full}:{service.port_name}",) if service.port_name else (full, f"{full}:")
    return next((spelling for spelling in spellings if chain_hash(spelling, service.protocol) == borne), None)
