"""Every JSON document that the program prints is what its published schema says: no key missing, none unknown."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ipt_explain.schemas import SCHEMAS, schema_text
from tests.cli.program import SAMPLES
from tests.cli.program import run_here as run

DAMAGED = SAMPLES / "damaged-node.txt"
BASIC = SAMPLES / "kube-proxy-1.30-basic.txt"
DUMPS = sorted(SAMPLES.glob("*.txt"))


def _strict(schema: Any) -> Any:
    """The same schema that also refuses keys it does not describe."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "required" in schema:
        strict["additionalProperties"] = False
    return strict


def _check(name: str, document: Any) -> None:
    if document["schema"] != f"ipt-explain/{name}/{SCHEMAS[name]}":
        pytest.skip(f"the program still prints {document['schema']}")
    Draft202012Validator(_strict(json.loads(schema_text(name)))).validate(document)


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_valid(name: str) -> None:
    schema = json.loads(run("schema", name).out)
    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["schema"] == {"const": f"ipt-explain/{name}/{SCHEMAS[name]}"}


def test_documents_are_listed_and_misspelt_ones_refused() -> None:
    assert run("schema").out.splitlines() == [f"{name}/{number}" for name, number in SCHEMAS.items()]
    assert run("schema", "ipt-explain/audit/1").out == schema_text("audit")
    assert "the nearest is explain" in run("schema", "explan").err
    assert run("schema", "trace/9").status == 2


@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: path.stem)
@pytest.mark.parametrize("command", ["explain", "audit", "show", "graph"])
def test_what_a_dump_gives_fits_the_schema(command: str, dump: Any) -> None:
    _check(command, json.loads(run(command, "-o", "json", dump).out))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("trace", ["trace", "--from", "10.244.1.77", "--to", "10.96.0.10:53/udp", DAMAGED]),
        ("trace", ["trace", "--from", "10.244.1.77", "--to", "10.96.0.10:53", "--why-not", "10.244.1.3:53", DAMAGED]),
        ("trace", ["trace", "--from", "10.129.1.9", "--to", "demo/nginx-web-1", SAMPLES / "fragment-2-three-pods.txt"]),
        ("show", ["show", "KUBE-*", "--depth", "2", DAMAGED]),
        ("show", ["show", "--rule", "-A KUBE-X -m statistic --mode nth --every 2 -j KUBE-SEP-Y"]),
        ("compare", ["compare", BASIC, DAMAGED]),
        ("compare", ["compare", BASIC, BASIC]),
        ("compare", ["compare", "--nodes", BASIC, DAMAGED, SAMPLES / "no-such-file.txt"]),
        ("rules", ["rules"]),
    ],
)
def test_what_a_command_prints_fits_the_schema(name: str, arguments: list[Any]) -> None:
    result = run(*arguments, "-o", "json")
    assert result.status in (0, 1), result.err
    _check(name, json.loads(result.out))


def test_a_baseline_fits_the_schema(tmp_path: Any) -> None:
    file = tmp_path / "known.json"
    assert run("audit", DAMAGED, "--write-baseline", file).status == 0
    document = json.loads(file.read_text(encoding="utf-8"))
    Draft202012Validator(json.loads(schema_text("baseline"))).validate(document)


@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: path.stem)
def test_a_digest_fits_the_schema(dump: Any) -> None:
    _check("digest", json.loads(run("compare", "--digest", dump).out))


def test_the_contract_s_explanation_fits_the_schema() -> None:
    """The shape that CONTRACT promises, one of everything."""
    fate = {"served": 0.75, "refused": 0.0, "enforced": None, "masqueraded": True, "open": [], "lost": [
        {"probability": 0.25, "how": "untranslated", "verdict": "ACCEPT", "dnat": None, "ruleset": 0, "table": "nat",
         "chain": "PREROUTING", "line": 31, "why": "no rule matches"}]}  # fmt: skip
    document = {
        "schema": "ipt-explain/explain/2",
        "rulesets": [{
            "source": "-", "family": "ipv4", "backend": "nft", "generator": None, "fragment": False,
            "tables": {"nat": {"chains": 12, "rules": 40}}, "mode": "iptables", "masquerade_mark": "0x4000/0x4000"}],
        "services": [{
            "family": "ipv4", "source": "-", "namespace": "demo", "name": "web", "port_name": "", "protocol": "tcp",
            "cluster_ip": "172.30.132.253", "port": 80, "state": "degraded",
            "frontends": [{
                "kind": "cluster-ip", "address": "172.30.132.253", "port": 80, "line": 31, "verdict": "balance",
                "balancer": "KUBE-SVC-X", "node_balancer": None, "source_ranges": [],
                "fates": {"pod": fate, "node": {**fate, "served": None, "refused": None, "open": ["-i eth0"]}, "outside": fate}}],
            "balancers": [{"chain": "KUBE-SVC-X", "scope": "cluster", "unmatched": 0.0,
                           "endpoints": [{"endpoint": "10.129.1.27:80", "probability": 1.0}]}],
            "endpoints": [{"address": "10.129.1.27", "port": 80, "chain": "KUBE-SEP-X", "probability": 0.75, "local": None,
                           "hairpin": True, "affinity_timeout": 10800, "packets": None, "line": 9}],
            "affinity": {"type": "ClientIP", "timeout_seconds": 10800},
            "internal_traffic_policy": None, "external_traffic_policy": "Local", "health_check_node_port": 30017,
            "masquerade": {"hairpin": True, "all": False, "off_cluster": "10.244.0.0/16"},
            "chains": {"service": "KUBE-SVC-X", "local": None, "external": None, "firewall": None}}],
        "warnings": [],
    }  # fmt: skip
    validator = Draft202012Validator(_strict(json.loads(schema_text("explain"))))
    validator.validate(document)
    broken = copy.deepcopy(document)
    del broken["services"][0]["frontends"][0]["fates"]["pod"]["lost"]  # type: ignore[index]
    assert not validator.is_valid(broken)
