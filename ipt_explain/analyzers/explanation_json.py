"""Facts as JSON text, schema ipt-explain/explain/1. Keys are a promise: some may be added, none renamed or dropped."""

from __future__ import annotations

import json
from typing import Any

from ipt_explain.analyzers.facts import (
    Balancer,
    Endpoint,
    Explanation,
    Frontend,
    RulesetFacts,
    ServicePort,
)
from ipt_explain.model import Form

SCHEMA = "ipt-explain/explain/1"

Object = dict[str, Any]


def to_json(explanation: Explanation) -> str:
    """An explanation as one line of ASCII; control characters are escaped, so it is safe to print."""
    data = {
        "schema": SCHEMA,
        "rulesets": list(map(_ruleset, explanation.rulesets)),
        "services": list(map(_service, explanation.services)),
        "warnings": list(explanation.warnings),
    }
    # JSON need not escape DEL, and json.dumps does not. It can stand inside strings only.
    return json.dumps(data).replace("\x7f", "\\u007f")


def _ruleset(ruleset: RulesetFacts) -> Object:
    mark = ruleset.masquerade_mark
    return {
        "source": ruleset.source,
        "family": ruleset.family.value,
        "backend": ruleset.backend.value if ruleset.backend else None,
        "generator": ruleset.generator,
        "fragment": ruleset.form in (Form.FRAGMENT, Form.RESTORE),
        "tables": {name: {"chains": size.chains, "rules": size.rules} for name, size in ruleset.tables.items()},
        "mode": ruleset.mode.value if ruleset.mode else None,
        "masquerade_mark": f"{mark[0]:#x}/{mark[1]:#x}" if mark else None,
        "version": ruleset.version,
        "evidence": ruleset.evidence,
    }


def _service(service: ServicePort) -> Object:
    internal, external = service.internal_policy, service.external_policy
    affinity = service.affinity_seconds
    masquerade, chains = service.masquerade, service.chains
    return {
        "family": service.family.value,
        "source": service.source,
        "namespace": service.namespace,
        "name": service.name,
        "port_name": service.port_name,
        "protocol": service.protocol,
        "cluster_ip": service.cluster_ip,
        "port": service.port,
        "state": service.state.value,
        "frontends": [_frontend(frontend) for frontend in service.frontends],
        "balancers": [_balancer(balancer) for balancer in service.balancers],
        "endpoints": [_endpoint(endpoint) for endpoint in service.endpoints],
        "affinity": None if affinity is None else {"type": "ClientIP", "timeout_seconds": affinity},
        "internal_traffic_policy": internal.value if internal else None,
        "external_traffic_policy": external.value if external else None,
        "health_check_node_port": service.health_check_node_port,
        "masquerade": {"hairpin": masquerade.hairpin, "all": masquerade.all, "off_cluster": masquerade.off_cluster},
        "chains": {
            "service": chains.service,
            "local": chains.local,
            "external": chains.external,
            "firewall": chains.firewall,
        },
    }


def _frontend(frontend: Frontend) -> Object:
    return {
        "kind": frontend.kind.value,
        "address": frontend.address,
        "port": frontend.port,
        "line": frontend.rule.line,
        "verdict": frontend.verdict.value,
        "balancer": frontend.balancer,
        "node_balancer": frontend.node_balancer,
        "source_ranges": frontend.source_ranges,
    }


def _balancer(balancer: Balancer) -> Object:
    return {
        "chain": balancer.chain,
        "scope": balancer.scope.value,
        "endpoints": [{"endpoint": share.endpoint, "probability": share.probability} for share in balancer.shares],
        "unmatched": balancer.unmatched,
    }


def _endpoint(endpoint: Endpoint) -> Object:
    return {
        "address": endpoint.address,
        "port": endpoint.port,
        "chain": endpoint.chain,
        "probability": endpoint.probability,
        "local": True if endpoint.local else None,
        "hairpin": endpoint.hairpin,
        "affinity_timeout": endpoint.affinity_timeout,
        "packets": endpoint.packets,
        "line": endpoint.rule.line,
    }
