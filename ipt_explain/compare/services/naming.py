"""Names of frontends for people."""

from __future__ import annotations

from ipt_explain.compare.services.views import Address, FrontendView, ServiceView
from ipt_explain.services.ports import FrontendKind
from ipt_explain.words import address_port

FRONTEND_NAMES = {
    FrontendKind.CLUSTER_IP: "ClusterIP",
    FrontendKind.EXTERNAL_IP: "ExternalIP",
    FrontendKind.LOAD_BALANCER: "LoadBalancer",
    FrontendKind.EXTERNAL: "external address",
    FrontendKind.NODE_PORT: "NodePort",
}


def frontend_names(view: ServiceView) -> list[str]:
    """The names of all frontends, the ClusterIP first, the node port last."""
    kinds = list(FRONTEND_NAMES)
    ordered = sorted(view.frontends.items(), key=lambda item: (kinds.index(item[1].kind), item[0]))
    return [frontend_name(address, frontend) for address, frontend in ordered]


def frontend_name(address: Address, frontend: FrontendView) -> str:
    """`ClusterIP 10.96.0.10:80`, `NodePort 30080`."""
    return f"{FRONTEND_NAMES[frontend.kind]} {frontend_address_text(address)}"


def frontend_address_text(address: Address) -> str:
    """`10.96.0.10:80`, `[fd00::1]:80`; for a node port its number."""
    host, port = address
    if not host:
        return str(port)
    return address_port(host, port)
