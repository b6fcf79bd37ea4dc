"""What the rules mean to Kubernetes: facts, without opinion. The words are those of the JSON output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ipt_explain.columns import column
from ipt_explain.enums import Enum
from ipt_explain.model import Backend, Family, Form, Rule
from ipt_explain.records import Record, field
from ipt_explain.services.evidence import Evidence, Shown
from ipt_explain.services.fates import Fates, Unmasqueraded
from ipt_explain.words import front


class FrontendKind(Enum):
    """The kind of address of a frontend."""

    CLUSTER_IP = "cluster-ip"
    EXTERNAL_IP = "external-ip"
    LOAD_BALANCER = "load-balancer"
    EXTERNAL = "external"  # from REJECT and DROP rules, which do not say which of the two
    NODE_PORT = "node-port"


class FrontendVerdict(Enum):
    """What happens to a new connection to a frontend."""

    BALANCE = "balance"
    REJECT = "reject"
    DROP = "drop"
    UNMATCHED = "unmatched"  # passes on untranslated
    UNKNOWN = "unknown"

    @property
    def done(self) -> str:
        """What is done with connections: they are `balanced`."""
        return {
            FrontendVerdict.BALANCE: "balanced",
            FrontendVerdict.REJECT: "rejected",
            FrontendVerdict.DROP: "dropped",
            FrontendVerdict.UNMATCHED: "let through without an endpoint",
            FrontendVerdict.UNKNOWN: "handled in an unknown way",
        }[self]


class ServiceState(Enum):
    """The state of the ClusterIP frontend."""

    SERVING = "serving"
    DEGRADED = "degraded"  # a share is lost
    NO_ENDPOINTS = "no-endpoints"
    NO_LOCAL_ENDPOINTS = "no-local-endpoints"
    UNMATCHED = "unmatched"
    DIVERTED = "diverted"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


STATES = {
    FrontendVerdict.BALANCE: ServiceState.SERVING,
    FrontendVerdict.REJECT: ServiceState.NO_ENDPOINTS,
    FrontendVerdict.DROP: ServiceState.NO_LOCAL_ENDPOINTS,
    FrontendVerdict.UNMATCHED: ServiceState.UNMATCHED,
    FrontendVerdict.UNKNOWN: ServiceState.UNKNOWN,
}
"""A Service's state according to its chains, from what happens to connections to its ClusterIP."""


class Refusal(Enum):
    """Which connections the rules of a Service itself refuse."""

    OF_NONE = "none"
    OF_SOME = "some"
    OF_ALL = "all"


class TrafficPolicy(Enum):
    """A Service's internal or external traffic policy."""

    CLUSTER = "Cluster"
    LOCAL = "Local"


class Scope(Enum):
    """The endpoints that a balancer uses: all, or those on this node."""

    CLUSTER = "cluster"
    LOCAL = "local"


class ProxyMode(Enum):
    """Which kube-proxy mode wrote the rules."""

    IPTABLES = "iptables"
    IPVS = "ipvs"
    NFTABLES = "nftables"

    @property
    def word(self) -> str:
        """Its name in a sentence."""
        return "IPVS" if self is ProxyMode.IPVS else str(self.value)


class Frontend(Record):
    """One address and port of a service port. A node port has no address."""

    kind: FrontendKind
    address: str | None
    port: int
    evidence: Evidence | Shown
    verdict: FrontendVerdict
    balancer: str | None = None
    node_balancer: str | None = None
    source_ranges: tuple[str, ...] = ()
    fates: Fates | None = None

    @property
    def rule(self) -> Rule:
        """The rule that takes its connections. Only iptables mode has one; use `evidence` if the line is enough."""
        assert isinstance(self.evidence, Evidence)
        return self.evidence.rule


class Share(Record):
    """An endpoint's share in a balancer. `endpoint` is `ip:port`, None if the text lacks the endpoint's DNAT.

    `probability` (0 to 1) is None if it depends on rules that the text lacks. If load or the client decides,
    `scheduler` is the IPVS scheduler, and `probability` is only an even share.
    """

    endpoint: str | None
    chain: str
    probability: float | None
    scheduler: str | None = None
    weight: int | None = None


class Balancer(Record):
    """A chain that spreads connections. Shares and `unmatched` (the share that leaks through untranslated) sum to 1;
    `unmatched` is None if the chain may have more rules than the text shows.

    `fallback_drop`: the chain marks packets for dropping instead.
    """

    chain: str
    scope: Scope
    shares: Sequence[Share]
    unmatched: float | None
    fallback_drop: bool = False

    @property
    def decided_by(self) -> str | None:
        """The scheduler that chooses by load or client, which makes shares unknown."""
        return next(filter(None, column(self.shares, "scheduler")), None)


class Placement(Record):
    """What the cluster's objects say about an endpoint: its pod as `namespace/name`, its node and zone; None if they do
    not say. A node has no pod."""

    pod: str | None = None
    node: str | None = None
    zone: str | None = None


class Endpoint(Record):
    """A pod that a service port leads to. `address` and `port` are None if the text lacks its DNAT. `chain` is its
    `ip:port` in IPVS mode, which has no chains.

    `marked`: its connections to itself through the Service are marked for masquerading; `hairpin`: they are
    masqueraded. `placement` is None unless objects were read. `endpoint` is its `ip:port` as in its Share, if the text
    spells it.
    """

    address: str | None
    port: int | None
    chain: str
    probability: float | None
    local: bool | None
    hairpin: bool | None
    affinity_timeout: int | None
    packets: int | None
    evidence: Evidence | Shown
    marked: bool | None = None
    placement: Placement | None = None
    endpoint: str | None = field(default=None, compare=False)

    @property
    def rule(self) -> Rule:
        """The rule that translates to it, or leads there. Only iptables mode has one; use `evidence` if the line is
        enough."""
        assert isinstance(self.evidence, Evidence)
        return self.evidence.rule


class Masquerade(Record):
    """Which connections to a service port are masqueraded.

    `hairpin`: those of a pod to itself (True if for all endpoints). `all`: every ClusterIP connection; None if the text
    may lack rules that mark them. `off_cluster`: the condition for ClusterIP connections from outside the pod network.
    `kept` says why connections to endpoints are not masqueraded although they are marked, if any are not.
    """

    hairpin: bool | None
    all: bool | None
    off_cluster: str | None
    kept: Unmasqueraded | None = None


class ServiceChains(Record):
    """The chains of a service port, by role."""

    service: str | None = None
    local: str | None = None
    external: str | None = None
    firewall: str | None = None


class ServicePort(Record):
    """One port of one Service, as kube-proxy treats it. Names that the text does not carry are None; an unnamed port
    is "", and so is a protocol that no rule names."""

    family: Family
    source: str
    namespace: str | None
    name: str | None
    port_name: str | None
    protocol: str
    cluster_ip: str | None
    port: int | None
    state: ServiceState
    frontends: tuple[Frontend, ...]
    balancers: tuple[Balancer, ...]
    endpoints: Sequence[Endpoint]
    affinity_seconds: int | None
    internal_policy: TrafficPolicy | None
    external_policy: TrafficPolicy | None
    health_check_node_port: int | None
    masquerade: Masquerade
    chains: ServiceChains
    backend: Backend | None = None

    @property
    def label(self) -> str:
        """`namespace/name:port`, or what is known about it."""
        if self.name is None:
            known = self.chains.service or self.chains.local or self.chains.external
            address, at = self.cluster_ip, self.port
            if address is None and self.frontends:
                address, at = self.frontends[0].address, self.frontends[0].port
            return known or f"{front(address, at)}/{self.protocol}"
        port = f":{self.port_name}" if self.port_name else ""
        return f"{self.namespace}/{self.name}{port}"

    def refusal(self, frontend: Frontend) -> Refusal:
        """Which connections a frontend's own rules refuse."""
        if frontend.verdict in (FrontendVerdict.REJECT, FrontendVerdict.DROP):
            return Refusal.OF_ALL
        local = TrafficPolicy.LOCAL in (self.internal_policy, self.external_policy)
        return Refusal.OF_SOME if frontend.source_ranges or local else Refusal.OF_NONE


def by_name(service: ServicePort) -> tuple[str, str, str, str, int, str]:
    """The order of service ports: by name, then by ClusterIP."""
    return (
        service.namespace or "", service.name or "", service.port_name or "",
        service.cluster_ip or "", service.port or 0, service.protocol,
    )  # fmt: skip


class TableSize(Record):
    """How many chains and rules a table has."""

    chains: int
    rules: int


class RulesetFacts(Record):
    """The summary of a ruleset. `version` is a range such as "1.24 or later", None if unknown, and `releases` its first
    and last minor version; `evidence` says in words how mode and version were recognised; `masquerade_mark` is `(value,
    mask)`. `before_nftables`: it was saved before kube-proxy had an nftables mode, or on a system where that cannot
    run. `alone` names the endpoints of a fragment that shows nothing else of Services. `placement` is the node that it
    is from, None unless objects were read."""

    source: str
    family: Family
    backend: Backend | None
    generator: str | None
    form: Form
    tables: Mapping[str, TableSize]
    mode: ProxyMode | None
    version: str | None
    evidence: str
    masquerade_mark: tuple[int, int] | None
    before_nftables: bool = False
    alone: str = ""
    releases: tuple[int, int] = (1, 99)
    placement: Placement | None = None
