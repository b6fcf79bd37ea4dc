"""Converting Services in `truth.json` and in the output of `explain -o json` to one form, for comparison.

truth.json was derived from the API objects that kube-proxy saw, so agreement means that the rules were understood.
"""

from __future__ import annotations

from typing import Any

Record = dict[str, Any]

_VERDICTS = {"balance": "dnat", "reject": "reject", "drop": "drop", "unmatched": "fallthrough"}


def expected(truth: Record) -> Record:
    """One record of truth.json, in comparable form."""
    shown = truth["internal_verdict"] == "dnat"
    record = {
        "cluster_ip": truth["cluster_ip"],
        "port": truth["port"],
        "internal_verdict": truth["internal_verdict"],
        "endpoints": sorted(truth["endpoints"]) if shown else [],
        "probabilities": sorted([truth["probability"]] * len(truth["endpoints"])) if shown else [],
        "affinity": truth["affinity_seconds"] if shown or truth.get("external_verdict") == "dnat" else None,
        "node_ports": [truth["node_port"]] if truth["node_port"] else [],
        "lb_ips": sorted(truth["lb_ips"]),
        "external_ips": sorted(truth["external_ips"]),
        "hairpin": True if shown else None,
    }
    if "external_ip_endpoints" in truth:
        # Up to 1.19 external IPs ignored policies, so each kind of frontend has its own endpoints.
        record["external_ip_endpoints"] = sorted(truth["external_ip_endpoints"])
    elif "external_verdict" in truth:
        record["external_verdicts"] = {truth["external_verdict"]}
        if truth["external_verdict"] == "dnat":
            record["external_endpoints"] = sorted(truth["external_endpoints"])
        if truth["external_policy"] == "Local" and truth["external_verdict"] != "reject":
            record["node_endpoints"] = sorted(truth["external_from_node_or_pods_endpoints"])
    if truth["lb_ips"] and truth.get("external_verdict") in ("dnat", "drop") and truth["lb_source_ranges"]:
        record["source_ranges"] = sorted(truth["lb_source_ranges"])
    return record


def found(service: Record, like: Record) -> Record:
    """An entry of explain's JSON in the form of `expected`; `like` says which fields are comparable."""
    balancers = {each["chain"]: each for each in service["balancers"]}
    cluster = [each for each in service["frontends"] if each["kind"] == "cluster-ip"]
    outside = [each for each in service["frontends"] if each["kind"] != "cluster-ip"]
    reached = [each for each in service["endpoints"] if each["probability"] > 0]
    record = {
        "cluster_ip": service["cluster_ip"],
        "port": service["port"],
        "internal_verdict": _VERDICTS.get(cluster[0]["verdict"]) if cluster else None,
        "endpoints": sorted(_text(each) for each in reached),
        "probabilities": sorted(each["probability"] for each in reached),
        "affinity": None if service["affinity"] is None else service["affinity"]["timeout_seconds"],
        "node_ports": [each["port"] for each in outside if each["kind"] == "node-port"],
        "lb_ips": _addresses(outside, "load-balancer"),
        "external_ips": _addresses(outside, "external-ip"),
        "hairpin": service["masquerade"]["hairpin"] if like["hairpin"] is not None else None,
    }
    unnamed = _addresses(outside, "external")
    record["lb_ips"] = sorted([*record["lb_ips"], *(each for each in unnamed if each in like["lb_ips"])])
    record["external_ips"] = sorted(
        [*record["external_ips"], *(each for each in unnamed if each in like["external_ips"])]
    )
    if "external_verdicts" in like:
        record["external_verdicts"] = {_VERDICTS.get(each["verdict"]) for each in outside}
    if "external_ip_endpoints" in like:
        external_ips = [each for each in outside if each["kind"] == "external-ip"]
        record["external_ip_endpoints"] = _of(balancers, {each["balancer"] for each in external_ips})
    if "external_endpoints" in like:
        record["external_endpoints"] = _of(balancers, {each["balancer"] for each in outside})
    if "node_endpoints" in like:
        record["node_endpoints"] = _of(balancers, {each["node_balancer"] or each["balancer"] for each in outside})
    if "source_ranges" in like:
        record["source_ranges"] = sorted({each for front in outside for each in front["source_ranges"]})
    return record


def _text(endpoint: Record) -> str:
    address, port = endpoint["address"], endpoint["port"]
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _addresses(frontends: list[Record], kind: str) -> list[str]:
    return sorted(each["address"] for each in frontends if each["kind"] == kind)


def _of(balancers: dict[str, Record], chains: set[str | None]) -> list[str]:
    return sorted({share["endpoint"] for chain in chains if chain for share in balancers[chain]["endpoints"]})
