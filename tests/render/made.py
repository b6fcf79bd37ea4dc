"""Explanations built by hand, for tests of output."""

from __future__ import annotations

from typing import Any

from ipt_explain.model import Backend, Chain, Command, Family, Form, Rule, Shape
from ipt_explain.services.evidence import Evidence
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.ports import (
    Balancer,
    Endpoint,
    Frontend,
    FrontendKind,
    FrontendVerdict,
    Masquerade,
    ProxyMode,
    RulesetFacts,
    Scope,
    ServiceChains,
    ServicePort,
    ServiceState,
    Share,
    TableSize,
)

_SHAPE = Shape(Command.APPEND, None, (), (), None, ("-A ", ""), (0,))


def rule(line: int) -> Evidence:
    """A rule with only a line."""
    return Evidence(Chain.of("KUBE-SERVICES", [Rule(_SHAPE, ("KUBE-SERVICES",), line)]), 0)


def ruleset(**given: Any) -> RulesetFacts:
    """A healthy node's IPv4 ruleset, except for `given`."""
    facts: dict[str, Any] = {
        "source": "node.txt",
        "family": Family.IPV4,
        "backend": Backend.NFT,
        "generator": "iptables-save v1.8.9 (nf_tables)",
        "form": Form.SAVE,
        "tables": {"nat": TableSize(22, 60), "filter": TableSize(12, 41), "mangle": TableSize(6, 0)},
        "mode": ProxyMode.IPTABLES,
        "version": "1.28 or later",
        "evidence": "KUBE-SERVICES and a canary",
        "masquerade_mark": (0x4000, 0x4000),
    }
    return RulesetFacts(**(facts | given))


def frontend(kind: FrontendKind = FrontendKind.CLUSTER_IP, **given: Any) -> Frontend:
    """A frontend that balances over the service chain, except for `given`."""
    facts: dict[str, Any] = {
        "address": None if kind is FrontendKind.NODE_PORT else "10.96.14.7",
        "port": 80,
        "evidence": rule(310),
        "verdict": FrontendVerdict.BALANCE,
        "balancer": "KUBE-SVC-AAAAAAAAAAAAAAAA",
    }
    return Frontend(kind, **(facts | given))


def endpoint(number: int, probability: float, **given: Any) -> Endpoint:
    """Endpoint 10.244.1.`number`:8080 with hairpin masquerading, except for `given`."""
    facts: dict[str, Any] = {
        "address": f"10.244.1.{number}",
        "port": 8080,
        "chain": f"KUBE-SEP-{number:A>16}",
        "probability": probability,
        "local": None,
        "hairpin": True,
        "affinity_timeout": None,
        "packets": None,
        "evidence": rule(400 + number),
    }
    return Endpoint(**({"marked": given.get("hairpin", True)} | facts | given))


def service(*shares: float, **given: Any) -> ServicePort:
    """shop/cart:http with a ClusterIP and endpoints with these shares, except for `given`."""
    endpoints = tuple(endpoint(number, share) for number, share in enumerate(shares, start=1))
    facts: dict[str, Any] = {
        "family": Family.IPV4,
        "source": "node.txt",
        "namespace": "shop",
        "name": "cart",
        "port_name": "http",
        "protocol": "tcp",
        "cluster_ip": "10.96.14.7",
        "port": 80,
        "state": ServiceState.SERVING,
        "frontends": (frontend(),),
        "endpoints": endpoints,
        "affinity_seconds": None,
        "internal_policy": None,
        "external_policy": None,
        "health_check_node_port": None,
        "masquerade": Masquerade(True, False, "10.244.0.0/16"),
        "chains": ServiceChains("KUBE-SVC-AAAAAAAAAAAAAAAA"),
        "backend": Backend.NFT,
    } | given
    facts.setdefault("balancers", (balancer(facts["endpoints"]),))
    return ServicePort(**facts)


def balancer(endpoints: tuple[Endpoint, ...], **given: Any) -> Balancer:
    """The service chain over these endpoints, with their own probabilities."""
    facts: dict[str, Any] = {
        "chain": "KUBE-SVC-AAAAAAAAAAAAAAAA",
        "scope": Scope.CLUSTER,
        "shares": tuple(Share(f"{one.address}:{one.port}", one.chain, one.probability) for one in endpoints),
        "unmatched": 0.0,
    }
    return Balancer(**(facts | given))


def explanation(*services: ServicePort, **given: Any) -> Explanation:
    """These services on one healthy node."""
    return Explanation((ruleset(**given),), services)
