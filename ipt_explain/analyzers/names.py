"""kube-proxy's names: chains by role, the hash in them, service port names in comments.

Facts: pkg/proxy/iptables/proxier.go of kube-proxy 1.1 to 1.33. A hashed chain is its prefix and the first 16
characters of the base32 of sha256(service port name + protocol [+ endpoint]); the function never changed. The service
port name of an unnamed port is `namespace/name:` up to 1.19 and `namespace/name` from 1.20.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from ipt_explain.enums import Enum
from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import Record

if TYPE_CHECKING:
    from ipt_explain.services.ports import ServicePort

SERVICES = "KUBE-SERVICES"
EXTERNAL_SERVICES = "KUBE-EXTERNAL-SERVICES"
NODE_PORTS = "KUBE-NODEPORTS"
MARK_MASQ = "KUBE-MARK-MASQ"
MARK_DROP = "KUBE-MARK-DROP"
POSTROUTING = "KUBE-POSTROUTING"
FORWARD = "KUBE-FORWARD"
FIREWALL = "KUBE-FIREWALL"
PROXY_FIREWALL = "KUBE-PROXY-FIREWALL"
PROXY_CANARY = "KUBE-PROXY-CANARY"
KUBELET_CANARY = "KUBE-KUBELET-CANARY"
BACKEND_HINT = "KUBE-IPTABLES-HINT"

HASH_LENGTH = 16
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class ChainRole(Enum):
    """What a hashed chain of kube-proxy is for; the value is its prefix."""

    SERVICE = "KUBE-SVC-"
    LOCAL = "KUBE-SVL-"
    ENDPOINT = "KUBE-SEP-"
    EXTERNAL = "KUBE-EXT-"
    FIREWALL = "KUBE-FW-"
    LOCAL_EXTERNAL = "KUBE-XLB-"  # up to 1.23: EXT and SVL in one


PROTOCOLS = ("tcp", "udp", "sctp")
"""Those that Services have."""

BALANCING_ROLES = (ChainRole.SERVICE, ChainRole.LOCAL, ChainRole.LOCAL_EXTERNAL)
"""Chains that spread connections."""

_PREFIXES = tuple([role.value for role in ChainRole])
_ROLES = {role.value[:8]: (role.value, role) for role in ChainRole}


def role_of(chain: str) -> ChainRole | None:
    """The role of a hashed chain, None for any other name."""
    found = _ROLES.get(chain[:8])
    return found[1] if found is not None and chain.startswith(found[0]) else None


def unhashed(chains: Iterable[str]) -> list[str]:
    """Those of these chains, of which there may be a hundred thousand, that have no role."""
    return [chain for chain in chains if not chain.startswith(_PREFIXES)]


def roles_of(chains: Iterable[str]) -> frozenset[ChainRole]:
    """The roles of these chains, of which there may be a hundred thousand; faster than asking for each."""
    lines = "\n".join(["", *chains])
    return frozenset([role for role in ChainRole if f"\n{role.value}" in lines])


def hash_of(chain: str) -> str | None:
    """The hash in a hashed chain's name: the same for all chains of one service port except its endpoints'."""
    found = _ROLES.get(chain[:8])
    return chain[len(found[0]) :] if found is not None and chain.startswith(found[0]) else None


def chain_hash(service_port: str, protocol: str) -> str:
    """The hash for a service port name (`ns/name:port`, as its kube-proxy spells it) and protocol (`tcp`)."""
    from ipt_explain.digests import sha256

    digest = sha256((service_port + protocol).encode("utf-8", "surrogateescape")).digest()
    number = int.from_bytes(digest[: HASH_LENGTH * 5 // 8], "big")
    return "".join([_BASE32[number >> shift & 31] for shift in range((HASH_LENGTH - 1) * 5, -1, -5)])


class ServicePortName(Record):
    """`namespace/name:port` taken apart; `spelled` is as the comment has it. An unnamed port is ""."""

    spelled: str
    namespace: str
    name: str
    port: str


Wanted: TypeAlias = "Callable[[ServicePortName | None, Iterable[str | None]], bool]"
"""Whether a service port of a name, and of these addresses, is asked for."""

_UNHASHED = frozenset(
    {
        SERVICES, EXTERNAL_SERVICES, NODE_PORTS, MARK_MASQ, MARK_DROP, POSTROUTING, FORWARD, FIREWALL, PROXY_FIREWALL,
        PROXY_CANARY, KUBELET_CANARY, BACKEND_HINT,
    }
)  # fmt: skip


def is_kube_chain(chain: str) -> bool:
    """Whether kube-proxy (iptables mode) or kubelet makes chains of this name. Others use the prefix `KUBE-` too:
    kube-router, CRI-O."""
    return chain in _UNHASHED or role_of(chain) is not None


class CommentKind(Enum):
    """The subject of a rule, according to its kube-proxy comment."""

    CLUSTER_IP = " cluster IP"
    EXTERNAL_IP = " external IP"
    LOAD_BALANCER = " loadbalancer IP"
    NO_ENDPOINTS = " has no endpoints"
    NO_LOCAL_ENDPOINTS = " has no local endpoints"
    HEALTH_CHECK = " health check node port"
    BARE = ""


_TO_ENDPOINT = lazy_pattern(r"(\S+) -> (\S+)\Z")  # from 1.24 on
_KINDS = tuple((kind.value, kind) for kind in CommentKind if kind.value)
# Comments of rules in the hashed chains; the service port name is in all of them.
_WITHIN = (
    lazy_pattern(r"Balancing rule \d+ for (\S+)\Z"),
    _TO_ENDPOINT,
    lazy_pattern(
        r"(?:masquerade|route|pod) (?:LOCAL )?traffic for (\S+) (?:external destinations|LB IP)(?: to service chain)?\Z"
    ),
    lazy_pattern(r"(\S+) traffic not accepted by KUBE-FW-\S+\Z"),
    lazy_pattern(r"other traffic to (\S+) will be dropped by KUBE-PROXY-FIREWALL\Z"),
)


def service_port_name(text: str) -> ServicePortName | None:
    """`ns/name`, `ns/name:port` or the old `ns/name:`, or None for any other text."""
    namespace, _, rest = text.partition("/")
    name, _, port = rest.partition(":")
    begun = namespace[:1].isalnum() and name[:1].isalnum()
    if not begun or "." in port or not _is_plain(namespace + name + port):
        return None
    return ServicePortName(text, namespace, name, port)


def _is_plain(name: str) -> bool:
    return name.isascii() and name.replace("-", "").replace(".", "").isalnum()


def read_comment(comment: str) -> tuple[ServicePortName | None, CommentKind]:
    """The service port that a comment names and what it says of it."""
    for ending, kind in _KINDS:
        if comment.endswith(ending):
            return service_port_name(comment[: -len(ending)]), kind
    name = service_port_name(comment)
    if name is None:
        for pattern in _WITHIN:
            match = pattern.match(comment)
            if match is not None:
                return service_port_name(match[1]), CommentKind.BARE
    return name, CommentKind.BARE


def place_in_comment(comment: str) -> str | None:
    """The address and port of the endpoint that a rule leads to, if its comment says so."""
    match = _TO_ENDPOINT.match(comment)
    return None if match is None else match[2]


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
