"""Checking statements about a part of a dump against the whole: each must be the same, or unknown."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

import ipt_explain
from ipt_explain.model import Dump
from tests.audit.helpers import audit_read, audit_text

_ROUNDING = 1e-5


def wrong_statements(part: str, whole: str, lenient: bool = False) -> list[str]:
    """Statements of explain and audit about a part of a dump that are not true of the whole."""
    shown = ipt_explain.parse(part, lenient=lenient)
    return [*_of_explain(_explained(shown), _known(whole)), *_of_audit(shown, whole)]


@functools.lru_cache(maxsize=8)
def _known(text: str) -> Any:
    return _explained(ipt_explain.parse(text))


def _explained(dump: Dump) -> Any:
    return json.loads(ipt_explain.explain(dump).to_json())


def _of_audit(part: Dump, whole: str) -> Iterator[str]:
    known = _found(whole)
    rules = {rule for rule, _ in known}
    for finding in audit_read(part):
        abouts = (finding.chain, finding.service, *finding.services)
        of_many = finding.service is None and finding.rule in rules
        if finding.rule != "IPT007" and not of_many and not any((finding.rule, about) in known for about in abouts):
            yield f"audit: {finding.rule} {finding.message}"


@functools.lru_cache(maxsize=8)
def _found(text: str) -> frozenset[tuple[str, str | None]]:
    return frozenset(
        (each.rule, about) for each in audit_text(text) for about in (each.chain, each.service, *each.services)
    )


def _of_explain(part: Any, whole: Any) -> Iterator[str]:
    for service in part["services"]:
        truth = _same_service(service, whole["services"])
        if truth is None:
            yield f"no such service: {service['namespace']}/{service['name']} {service['cluster_ip']}"
            continue
        for where, said, known in _statements(service, truth):
            if said is not None and not _agree(said, known):
                yield f"{truth['namespace']}/{truth['name']}:{truth['port_name']} {where}: {said}, not {known}"


def _same_service(service: Any, services: Any) -> Any:
    def places(one: Any) -> set[Any]:
        chains = {name for name in one["chains"].values() if name is not None}
        return chains | {(each["address"], each["port"], one["protocol"]) for each in one["frontends"]}

    own = places(service)
    return next((each for each in services if not own.isdisjoint(places(each))), None)


def _statements(service: Any, truth: Any) -> Iterator[tuple[str, Any, Any]]:
    yield "state", None if service["state"] == "unknown" else service["state"], truth["state"]
    for key in ("cluster_ip", "affinity", "internal_traffic_policy", "external_traffic_policy", "health_check_node_port"):
        yield key, service[key], truth[key]
    for key in ("hairpin", "all", "off_cluster"):
        yield f"masquerade {key}", service["masquerade"][key], truth["masquerade"][key]
    known = {each["chain"]: each for each in truth["endpoints"]}
    for endpoint in service["endpoints"]:
        if any(front["kind"] == "cluster-ip" for front in service["frontends"]):  # else it covers all frontends
            yield "endpoint probability", endpoint["probability"], known[endpoint["chain"]]["probability"]
        for key in ("address", "port", "hairpin", "affinity_timeout", "local"):
            yield f"endpoint {key}", endpoint[key], known[endpoint["chain"]][key]
    balancers = {each["chain"]: each for each in truth["balancers"]}
    for balancer in service["balancers"]:
        spread = balancers.get(balancer["chain"], {"unmatched": None, "endpoints": []})
        yield f"{balancer['chain']} unmatched", balancer["unmatched"], spread["unmatched"]
        shares = {each["endpoint"]: each["probability"] for each in spread["endpoints"]}
        for share in balancer["endpoints"]:
            if share["endpoint"] is not None:
                yield f"{balancer['chain']} {share['endpoint']}", share["probability"], shares.get(share["endpoint"])
    fronts = {(each["address"], each["port"]): each for each in truth["frontends"]}
    for front in service["frontends"]:
        other = fronts[front["address"], front["port"]]
        yield "verdict", None if front["verdict"] == "unknown" else front["verdict"], other["verdict"]
        for vantage, fate in front["fates"].items():
            for key, said, shown in _of_fate(fate, other["fates"][vantage]):
                yield f"{front['kind']} from {vantage} {key}", said, shown


def _of_fate(fate: Any, truth: Any) -> Iterator[tuple[str, Any, Any]]:
    """With an unknown share, the others mean `at least`. What the whole does not show cannot be refuted."""
    open_ended = any(lost["how"] == "unknown" for lost in fate["lost"])
    for key in ("served", "refused"):
        said, known = fate[key], truth[key]
        at_least = open_ended and said is not None and said <= (known or 0.0) + _ROUNDING
        yield key, None if at_least or known is None else said, known
    yield "enforced", fate["enforced"], truth["enforced"]
    lost = sum(each["probability"] for each in fate["lost"] if each["how"] != "unknown")
    yield "lost", lost or None, sum(each["probability"] for each in truth["lost"])
    if fate["masqueraded"] is not None and truth["masqueraded"] is not None:
        yield "masqueraded", fate["masqueraded"], truth["masqueraded"]


def _agree(said: Any, known: Any) -> bool:
    if isinstance(said, float) and isinstance(known, float):
        return abs(said - known) < _ROUNDING
    return bool(said == known)
