"""The names of kube-proxy's nftables chains: `ROLE-HASH-namespace/service/protocol/port`.

Facts: servicePortChainNameBase and servicePortEndpointChainNameBase of pkg/proxy/nftables/proxier.go, 1.30 to 1.36: the
hash is the first 8 characters of the base32 of sha256 over what follows it; endpoints end in
`__ADDRESS/PORT`, with a dot for each colon. A port without a name leaves nothing after the last slash.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ipt_explain.analyzers.names import ServicePortName
from ipt_explain.enums import Enum
from ipt_explain.records import dataclass

HASH_LENGTH = 8
_HASHED = HASH_LENGTH * 5 // 8  # bytes: base32 spells five bits a character
_IPV4 = re.compile(r"\d+(?:\.\d+){3}")


class ChainKind(Enum):
    """What a chain of a service port is for."""

    SERVICE = "service"
    LOCAL = "local"
    EXTERNAL = "external"
    FIREWALL = "firewall"
    ENDPOINT = "endpoint"

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class ProxyChain:
    """A chain's name taken apart. `key` is the same for all chains of one service port but its endpoints'."""

    kind: ChainKind
    key: str
    port: ServicePortName
    protocol: str


@dataclass(frozen=True, slots=True)
class Target:
    """The address and port that the chain of an endpoint is named after."""

    chain: ProxyChain
    address: str
    port: int


_NAME = re.compile(
    r"(service|local|external|firewall|endpoint)-([A-Z2-7]{8})-"
    r"(([^/]+)/([^/]+)/(tcp|udp|sctp)/([^/]*?)(?:__([0-9a-fA-F.]+)/(\d+))?)\Z"
)


@lru_cache(maxsize=65536)
def proxy_chain(name: str) -> ProxyChain | None:
    """What a chain's name tells; None for one that is not kube-proxy's, its hash proving it."""
    found = _NAME.match(name)
    if found is None or chain_hash(found[3]) != found[2]:
        return None
    spelled = f"{found[4]}/{found[5]}" + (f":{found[7]}" if found[7] else "")
    port = ServicePortName(spelled, found[4], found[5], found[7])
    return ProxyChain(ChainKind(found[1]), f"{found[2]}-{found[3]}", port, found[6])


def target_of(name: str) -> Target | None:
    """The endpoint that a chain is named after; None for one that is no endpoint's. IPv6 addresses have dots there for
    their colons."""
    known = proxy_chain(name)
    if known is None or known.kind is not ChainKind.ENDPOINT:
        return None
    address, _, port = name.rpartition("__")[2].partition("/")
    if not port.isdecimal():
        return None
    return Target(known, address if _IPV4.fullmatch(address) else address.replace(".", ":"), int(port))


def chain_hash(text: str) -> str:
    """The hash for what follows it in a chain's name."""
    import base64
    import hashlib

    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
    return base64.b32encode(digest[:_HASHED]).decode("ascii")


def key_of(namespace: str, name: str, protocol: str, port: str) -> str:
    """The key of a service port's chains."""
    text = f"{namespace}/{name}/{protocol}/{port}"
    return f"{chain_hash(text)}-{text}"
