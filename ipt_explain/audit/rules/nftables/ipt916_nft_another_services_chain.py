"""nftables: a Service's chain leads to the chain of another Service.

What it checks:
    In nftables mode the names of kube-proxy's chains say which service port they are for. A chain of one service port
    leads only to chains of the same one, and a rule that looks up an endpoint's clients leads to that endpoint. In the
    maps, a service port has one ClusterIP, shared with its Service's other ports, and one node port, which leads to its
    chain for external traffic; its external addresses have its protocol and the port of its ClusterIP, and source
    ranges are its own.

Why it matters:
    Some connections to one Service reach another Service's pods.

Example:
    table ip kube-proxy {
    map service-ips {
    type ipv4_addr . inet_proto . inet_service : verdict
    elements = { 10.96.0.1 . tcp . 443 : goto service-2QRHZV4L-default/kubernetes/tcp/https }
    }
    chain services {
    ip daddr . meta l4proto . th dport vmap @service-ips
    }
    chain service-2QRHZV4L-default/kubernetes/tcp/https {
    goto endpoint-4HJWWRW7-kube-system/kube-dns/udp/dns__10.244.1.3/53
    }
    chain endpoint-4HJWWRW7-kube-system/kube-dns/udp/dns__10.244.1.3/53 {
    meta l4proto udp dnat to 10.244.1.3:53
    }
    }

How to fix:
    Restart kube-proxy on the node: it rewrites its tables. Then find what changed them.
"""

from __future__ import annotations

from ipt_explain.analyzers.nftables.frontends import cluster_ips
from ipt_explain.analyzers.nftables.names import ChainKind, ProxyChain, proxy_chain
from ipt_explain.analyzers.nftables.tables import FIREWALL_IPS, NO_ENDPOINT_SERVICES, SERVICE_IPS, SERVICES, elements
from ipt_explain.audit.authoring import RESTART_TABLES, Fault, Faults, NftContext, Severity, nft_rule
from ipt_explain.model import nft
from ipt_explain.model.nft.printing import expression_text
from ipt_explain.netfilter.nft.jumps import NftJump, jumps
from ipt_explain.words import both

_ONE_TOO_MANY = ": connections to one of them reach the wrong pods"
_AS_EXTERNAL = "its chain for external traffic: connections to the ClusterIP are handled like those from outside"


@nft_rule("IPT916", "nft-another-services-chain", Severity.ERROR, gathers=True)
def nft_another_services_chain(context: NftContext, table: nft.Table) -> Faults:
    """One fault for each rule."""
    for chain in table.chains.values():
        own = proxy_chain(chain.name)
        if own is None:
            continue
        reported: set[nft.Rule] = set()
        for jump in jumps(table, chain):
            said = _wrong(own, jump)
            if said is not None and jump.rule not in reported:
                reported.add(jump.rule)
                yield Fault(
                    f"a chain of {own.port.spelled} {said}",
                    RESTART_TABLES,
                    context.at_rule(table, chain, jump.rule),
                    service=own.port.spelled,
                )
    yield from _misled(context, table)
    yield from _guarded(context, table)


def _misled(context: NftContext, table: nft.Table) -> Faults:
    """Elements of the maps that lead to a chain of a service port that they cannot be for."""
    lookups = table.chains.get(SERVICES)
    own = cluster_ips(table)
    found = () if lookups is None else jumps(table, lookups)
    led = [_Led(jump, chain) for jump in found if (chain := proxy_chain(jump.target)) is not None]
    at_cluster_ips = [each for each in led if each.address in own and each.chain.kind is not ChainKind.EXTERNAL]
    ports: dict[object, set[object]] = {}
    addresses: dict[object, set[object]] = {}
    services: dict[object, set[object]] = {}
    node_ports: dict[object, set[object]] = {}
    for each in at_cluster_ips:
        ports.setdefault(each.service_port, set()).add(each.port)
        addresses.setdefault(each.service, set()).add(each.address)
        services.setdefault(each.address, set()).add(each.service)
    # If two Services have one address, and one of them has a second, the element that they share is wrong.
    misled = [each for each in at_cluster_ips if len(addresses[each.service]) > 1 < len(services[each.address])]
    of_misled, at_misled = {each.service for each in misled}, {each.address for each in misled}
    for each in led:
        if each.address is None:
            node_ports.setdefault(each.service_port, set()).add(each.port)
    for each in led:
        said: str | None = None
        if each.address is None:
            if each.chain.kind is not ChainKind.EXTERNAL:
                said = "not to its chain for external traffic, which masquerades clients and heeds policy Local"
            elif len(node_ports[each.service_port]) > 1:
                said = f"which has node ports {_listed(node_ports[each.service_port])}{_ONE_TOO_MANY}"
        elif each.address not in own:
            known = ports.get(each.service_port, {each.port})
            if each.protocol != each.chain.protocol or each.port not in known:
                said = f"{each.chain.protocol} port {_listed(known)}: connections there reach its pods"
        elif each.chain.kind is ChainKind.EXTERNAL:
            said = None if each.service_port in ports else _AS_EXTERNAL
        elif len(addresses[each.service]) > 1 and (each in misled or each.service not in of_misled):
            said = f"which has ClusterIPs {_listed(addresses[each.service])}{_ONE_TOO_MANY}"
        elif len(services[each.address]) > 1 and each.address not in at_misled:
            said = f"although another port of this ClusterIP leads to another Service's{_ONE_TOO_MANY}"
        else:
            said = _of_other_address(table, each)
        held, element = each.jump.held, each.jump.element
        if said is not None and held is not None and element is not None:
            yield Fault(
                f"{expression_text(element.key)} leads to a chain of {each.chain.port.spelled}, {said}",
                RESTART_TABLES,
                context.at_element(table, held, element),
                service=each.chain.port.spelled,
                key=expression_text(element.key),
            )


def _guarded(context: NftContext, table: nft.Table) -> Faults:
    """Addresses with source ranges that have them as another Service's, or that no Service has."""
    served = {element.key: element for name in (SERVICE_IPS, NO_ENDPOINT_SERVICES) for element in elements(table, name)}
    for element in elements(table, FIREWALL_IPS):
        guard, given = _chain_of(element), served.get(element.key)
        led = None if given is None else _chain_of(given)
        if guard is None or (given is not None and led is None):
            continue
        if led is None or (led.port, led.protocol) != (guard.port, guard.protocol):
            whose = (
                "no Service's: they keep nobody out"
                if led is None
                else f"an address of {led.port.spelled}: they decide who may connect to that"
            )
            yield Fault(
                f"{expression_text(element.key)} has the source ranges of {guard.port.spelled}, but is {whose}",
                RESTART_TABLES,
                context.at_element(table, table.sets[FIREWALL_IPS], element),
                service=guard.port.spelled,
                key=f"ranges {expression_text(element.key)}",
            )


def _chain_of(element: nft.Element) -> ProxyChain | None:
    name = element.data.chain if isinstance(element.data, nft.Verdict) else None
    return None if name is None else proxy_chain(name)


class _Led:
    """An element of a map, and the chain that it leads to. `address` is None for a node port."""

    def __init__(self, jump: NftJump, chain: ProxyChain) -> None:
        self.jump = jump
        self.chain = chain
        key = None if jump.element is None else jump.element.key
        parts = key.parts if isinstance(key, nft.Concatenation) else ()
        self.address, self.protocol, self.port = ((None,) * 3 + parts)[-3:]
        self.service = chain.port.namespace, chain.port.name
        self.service_port = chain.port, chain.protocol


def _of_other_address(table: nft.Table, led: _Led) -> str | None:
    """What the rules of a ClusterIP's chain ask for, up to 1.35, if it is another address or port."""
    for rule in table.rules(led.jump.target):
        for each in rule.of(nft.Match):
            if isinstance(each.left, nft.Payload) and each.operator is nft.Operator.EQUAL:
                wanted = {"daddr": led.address, "dport": led.port}.get(each.left.field, each.right)
                if each.right != wanted:
                    return (
                        f"whose rules are for {expression_text(each.right)}: connections reach its pods, but "
                        "these rules do not masquerade them"
                    )
    return None


def _listed(values: set[object]) -> str:
    return both(sorted(map(str, values)))


def _wrong(own: ProxyChain, jump: NftJump) -> str | None:
    led = proxy_chain(jump.target)
    if led is not None and (led.port, led.protocol) != (own.port, own.protocol):
        which = f", {led.protocol}" if led.port == own.port else ""
        return f"leads to a chain of {led.port.spelled}{which}: what this rule takes reaches the wrong pods"
    for clients in (match.right for match in jump.rule.of(nft.Match)):
        if isinstance(clients, nft.SetReference) and clients.name.startswith("affinity-"):
            endpoint = clients.name.replace("affinity-", "endpoint-", 1)
            if jump.target != endpoint:
                return f"sends clients of {endpoint} to {jump.target}: they lose their affinity"
    return None
