"""Nodes of IPVS mode: rules that do not grow, and a virtual server, elements of sets and an address for each Service."""

from __future__ import annotations

from collections.abc import Iterator

from tests.ipvs_corpus import ipvs_nodes

_ENDPOINTS = 10
_OF_SERVICES = ("KUBE-CLUSTER-IP", "KUBE-IPVS-IPS")
_OF_ENDPOINTS = "KUBE-LOOP-BACK"
_LINK = "9: kube-ipvs0: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN group default\n"


def ipvs_node(services: int = 10_000, sets: bool = True) -> Iterator[str]:
    """Services with ten endpoints each; without `sets`, only that of ClusterIPs is shown."""
    (captured,) = [each for each in ipvs_nodes() if each.id.endswith("/basic")]
    yield captured.files["iptables-save"]
    for line in captured.files["ipset-save"].splitlines(keepends=True):
        if line.startswith("create ") and (sets or _OF_SERVICES[0] in line):
            yield line
    for number in range(services):
        address = _address(96, number)
        yield f"add {_OF_SERVICES[0]} {address},tcp:80\n"
        if sets:
            yield f"add {_OF_SERVICES[1]} {address}\n"
            for endpoint in _endpoints(number):
                yield f"add {_OF_ENDPOINTS} {endpoint},tcp:8080,{endpoint}\n"
    for number in range(services):
        server = f"-t {_address(96, number)}:80"
        yield f"-A {server} -s rr\n"
        yield from (f"-a {server} -r {endpoint}:8080 -m -w 1\n" for endpoint in _endpoints(number))
    yield _LINK
    for number in range(services):
        yield f"    inet {_address(96, number)}/32 scope global kube-ipvs0\n       valid_lft forever preferred_lft forever\n"


def partly_shown(services: int = 10_000) -> Iterator[str]:
    """The same, as a paste has it: most sets are missing, and what they hold is a question for each Service."""
    return ipvs_node(services, sets=False)


def _endpoints(service: int) -> Iterator[str]:
    return (_address(128, service * _ENDPOINTS + number) for number in range(_ENDPOINTS))


def _address(second: int, number: int) -> str:
    return f"10.{second + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
