"""The names of kube-proxy's nftables chains: `ROLE-HASH-namespace/service/protocol/port`.

Facts: servicePortChainNameBase and servicePortEndpointChainNameBase of pkg/proxy/nftables/proxier.go, 1.30 to 1.36. The
hash is the first 8 characters of the base32 of the SHA-256 of the rest of the name. The names of endpoints' chains end
in `__ADDRESS/PORT`, with a dot for each colon. An unnamed port leaves nothing after the last slash.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ipt_explain.analyzers.names import ServicePortName
from ipt_explain.enums import Enum
from ipt_explain.records import Record

HASH_LENGTH = 8
_HASHED = HASH_LENGTH * 5 // 8  # bytes: a base32 character holds five bits
_IPV4 = re.compile(r"\d+(?:\.\d+){3}")


class ChainKind(Enum):
    """What a chain of a service port is for."""

    SERVICE = "service"
    LOCAL = "local"
    EXTERNAL = "external"
    FIREWALL = "firewall"
    ENDPOINT = "endpoint"


class ProxyChain(Record):
    """The parts of a chain's name."""

    kind: ChainKind
    port: ServicePortName
    protocol: str


class EndpointName(Record):
    """The address and port in the name of an endpoint's chain."""

    chain: ProxyChain
    address: str
    port: int


_NAME = re.compile(
    r"(service|local|external|firewall|endpoint)-([A-Z2-7]{8})-"
    r"(([^/]+)/([^/]+)/(tcp|udp|sctp)/([^/]*?)(?:__([0-9a-fA-F.]+)/(\d+))?)\Z"
)


@lru_cache(maxsize=65536)
def proxy_chain(name: str) -> ProxyChain | None:
    """The parts of a chain's name; None if it is not one of kube-proxy's. The hash is not compared: people who replace
    names in what they paste do not recompute it."""
    found = _NAME.match(name)
    if found is None:
        return None
    spelled = f"{found[4]}/{found[5]}" + (f":{found[7]}" if found[7] else "")
    port = ServicePortName(spelled, found[4], found[5], found[7])
    return ProxyChain(ChainKind(found[1]), port, found[6])


def target_of(name: str) -> EndpointName | None:
    """The endpoint that a chain is named after; None for other chains."""
    known = proxy_chain(name)
    if known is None or known.kind is not ChainKind.ENDPOINT:
        return None
    address, _, port = name.rpartition("__")[2].partition("/")
    if not port.isdecimal():
        return None
    return EndpointName(known, address if _IPV4.fullmatch(address) else address.replace(".", ":"), int(port))


def _chain_hash(text: str) -> str:
    """The hash of the rest of a chain's name."""
    import base64
    import hashlib

    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
    return base64.b32encode(digest[:_HASHED]).decode("ascii")


def key_of(namespace: str, name: str, protocol: str, port: str) -> str:
    """The key of a service port's chains."""
    text = f"{namespace}/{name}/{protocol}/{port}"
    return f"{_chain_hash(text)}-{text}"
