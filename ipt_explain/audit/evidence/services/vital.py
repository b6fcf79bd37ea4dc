"""Services without which a cluster does not work."""

from __future__ import annotations

from ipt_explain.analyzers.fates.vantages import API_SERVER
from ipt_explain.services.ports import ServicePort

_DNS = ("kube-system", "kube-dns")


def is_api_server(service: ServicePort) -> bool:
    """Whether it is the API server's, whose endpoints are on hosts."""
    return (service.namespace, service.name) == API_SERVER


def is_dns(service: ServicePort) -> bool:
    """Whether it is cluster DNS."""
    return (service.namespace, service.name) == _DNS


def is_vital(service: ServicePort) -> bool:
    """Whether the cluster needs it to work."""
    return is_api_server(service) or is_dns(service)
