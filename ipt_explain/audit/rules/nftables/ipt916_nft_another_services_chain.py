"""nftables: a Service's chain leads to the chain of another Service.

What it checks:
    In nftables mode the names of kube-proxy's chains say which service port they are for. A chain of one service port
    leads only to chains of the same one, and a rule that looks up an endpoint's clients leads to that endpoint. In the
    map of addresses, a service port's external addresses have its protocol and the port of its ClusterIP.

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
    Restart kube-proxy on the node: it rewrites its chains. Then find what changed them.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import ServicePortName
from ipt_explain.analyzers.nftables.frontends import cluster_ips
from ipt_explain.analyzers.nftables.names import ProxyChain, proxy_chain
from ipt_explain.analyzers.nftables.tables import SERVICES
from ipt_explain.audit.authoring import Fault, Faults, NftContext, Severity, nft_rule
from ipt_explain.model.nft import Concatenation, Expression, Match, Rule, SetReference, Table
from ipt_explain.netfilter.nft.jumps import NftJump, jumps
from ipt_explain.words.lists import both

_FIX = "Restart kube-proxy on this node: it rewrites its chains."


@nft_rule("IPT916", "nft-another-services-chain", Severity.ERROR, gathers=True)
def nft_another_services_chain(context: NftContext, table: Table) -> Faults:
    """One fault for each rule."""
    for chain in table.chains.values():
        own = proxy_chain(chain.name)
        if own is None:
            continue
        told: set[Rule] = set()
        for jump in jumps(table, chain):
            said = _wrong(own, jump)
            if said is not None and jump.rule not in told:
                told.add(jump.rule)
                yield Fault(
                    f"a chain of {own.port.spelled} {said}",
                    _FIX,
                    context.at_rule(table, chain, jump.rule),
                    service=own.port.spelled,
                )
    yield from _misled(context, table)


def _misled(context: NftContext, table: Table) -> Faults:
    """Elements of the map that lead to a chain of a Service port with another protocol or port."""
    lookups = table.chains.get(SERVICES)
    own = cluster_ips(table)
    ports: dict[tuple[ServicePortName, str], set[object]] = {}
    others: list[tuple[NftJump, ProxyChain, tuple[Expression, ...]]] = []
    for jump in jumps(table, lookups) if lookups is not None else ():
        led, key = proxy_chain(jump.target), jump.element.key if jump.element is not None else None
        if led is not None and isinstance(key, Concatenation) and len(key.parts) == len(_ADDRESS):
            if key.parts[0] in own:
                ports.setdefault((led.port, led.protocol), set()).add(key.parts[2])
            else:
                others.append((jump, led, key.parts))
    for jump, led, (address, protocol, port) in others:
        known = ports.get((led.port, led.protocol), {port})
        if (protocol != led.protocol or port not in known) and jump.held is not None and jump.element is not None:
            yield Fault(
                f"{address} . {protocol} . {port} leads to a chain of {led.port.spelled}, {led.protocol} port "
                f"{both(list(map(str, known)))}",
                _FIX,
                context.at_element(table, jump.held, jump.element),
                service=led.port.spelled,
                key=f"{address} {protocol} {port}",
            )


_ADDRESS = ("address", "protocol", "port")


def _wrong(own: ProxyChain, jump: NftJump) -> str | None:
    led = proxy_chain(jump.target)
    if led is not None and (led.port, led.protocol) != (own.port, own.protocol):
        return f"leads to a chain of {led.port.spelled}"
    for match in jump.rule.statements:
        clients = match.right if isinstance(match, Match) else None
        if isinstance(clients, SetReference) and clients.name.startswith("affinity-"):
            endpoint = clients.name.replace("affinity-", "endpoint-", 1)
            if jump.target != endpoint:
                return f"sends clients of {endpoint} to {jump.target}"
    return None
