"""An endpoint's nftables chain sends connections elsewhere than its name says.

What it checks:
    kube-proxy's nftables mode names a chain after each endpoint (`endpoint-…__10.244.1.2/8080`; from 1.36 on only for
    Services with session affinity). The chain translates to that address and port, masquerades that address's own
    connections, and records clients in that endpoint's set. From 1.36 on, every entry of `hairpin-connections` is an
    endpoint of some Service.

Why it matters:
    Connections go to a pod that is not an endpoint, or nowhere.

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
    goto endpoint-KSS6PERS-default/kubernetes/tcp/https__192.168.50.10/6443
    }
    chain endpoint-KSS6PERS-default/kubernetes/tcp/https__192.168.50.10/6443 {
    ip saddr 192.168.50.10 jump mark-for-masquerade
    meta l4proto tcp dnat to 192.168.50.99:6443
    }
    }

How to fix:
    Restart kube-proxy on the node: it rewrites its tables. Then find what changed them.
"""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.analyzers.nftables.names import EndpointName, target_of
from ipt_explain.analyzers.nftables.tables import HAIRPIN_CONNECTIONS
from ipt_explain.audit.authoring import RESTART_TABLES, Fault, Faults, NftContext, Severity, nft_rule
from ipt_explain.model import nft
from ipt_explain.words import address_port


@nft_rule("IPT904", "nft-endpoint-mismatch", Severity.ERROR, gathers=True)
def nft_endpoint_mismatch(context: NftContext, table: nft.Table) -> Faults:
    """One fault for each rule."""
    for chain in table.chains.values():
        meant = target_of(chain.name)
        if meant is None:
            continue
        for rule in chain.rules:
            for told in _wrong(rule, chain.name, meant):
                yield Fault(
                    f"the chain of endpoint {address_port(meant.address, meant.port)} {told}",
                    RESTART_TABLES,
                    context.at_rule(table, chain, rule),
                    service=meant.chain.port.spelled,
                )
    if context.complete:
        yield from _stray_hairpins(context, table)


def _wrong(rule: nft.Rule, chain: str, meant: EndpointName) -> Iterator[str]:
    for each in rule.statements:
        if isinstance(each, nft.Nat) and each.kind is nft.NatKind.DNAT and isinstance(each.address, str):
            port = each.port if isinstance(each.port, int) else None
            if (each.address, port) != (meant.address, meant.port):
                yield f"sends connections to {address_port(each.address, port)}"
        elif isinstance(each, nft.SetUpdate) and each.target.name != chain.replace("endpoint-", "affinity-", 1):
            yield f"records its clients in {each.target.name}, another endpoint's set"
        elif isinstance(each, nft.Match) and each.operator is nft.Operator.EQUAL:
            if each.left == nft.Meta("l4proto") and each.right != meant.chain.protocol:
                yield f"translates {each.right}, not {meant.chain.protocol}"
            elif isinstance(each.left, nft.Payload) and each.left.field == "saddr" and each.right != meant.address:
                yield f"masquerades connections from {each.right}, not its own"
        elif isinstance(each, nft.Match) and isinstance(each.left, nft.Payload) and each.left.field == "saddr":
            yield "masquerades all connections but its own"


def _stray_hairpins(context: NftContext, table: nft.Table) -> Faults:
    held = table.sets.get(HAIRPIN_CONNECTIONS)
    if held is None:
        return
    known = {(each.address, service.protocol, each.port) for service in context.services for each in service.endpoints}
    for element in held.elements:
        parts = element.key.parts if isinstance(element.key, nft.Concatenation) else ()
        if len(parts) != 4:
            continue
        port = parts[3] if isinstance(parts[3], int) else None
        if parts[0] != parts[1]:
            yield Fault(
                f"hairpin-connections has connections from {parts[0]} to {address_port(str(parts[1]), port)}: an "
                "entry must be from an endpoint to itself",
                RESTART_TABLES,
                context.at_element(table, held, element),
            )
        elif (parts[1], parts[2], parts[3]) not in known:
            yield Fault(
                f"hairpin-connections has {address_port(str(parts[1]), port)}, which is not an endpoint of any "
                "Service: an endpoint on this node gets no connections, or others get them",
                RESTART_TABLES,
                context.at_element(table, held, element),
                severity=Severity.WARNING,
            )
