"""Services of nftables mode, against what the cluster's objects say, for kube-proxy 1.30 to 1.36."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

import ipt_explain
from ipt_explain.audit.findings.severity import Severity
from tests.audit.helpers import audit_read
from tests.cli.program import run
from tests.nft_corpus import Listing, listing, listings

CAPTURES = [each for each in listings() if each.truth is not None and each.name.endswith("/nft-ruleset")]
VERDICTS = {"dnat": "balance", "reject": "reject", "drop": "drop"}


def explained(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ipt_explain.explain(ipt_explain.parse(text)).to_json())
    return found


@pytest.mark.parametrize("capture", CAPTURES[::3], ids=lambda each: each.name)
def test_services_are_as_the_objects_say(capture: Listing) -> None:
    document = explained(capture.text)
    for name, services in capture.truth["families"].items():
        found = {
            (f"{each['namespace']}/{each['name']}", each["port_name"], each["protocol"]): each
            for each in document["services"]
            if each["family"] == name.lower()
        }
        assert found.keys() == {(each["service"], each["port_name"], each["protocol"]) for each in services}
        for truth in services:
            service = found[truth["service"], truth["port_name"], truth["protocol"]]
            assert (service["cluster_ip"], service["port"]) == (truth["cluster_ip"], truth["port"])
            cluster_ip = next(each for each in service["frontends"] if each["kind"] == "cluster-ip")
            assert cluster_ip["verdict"] == VERDICTS[truth["internal_verdict"]]
            shares = [each["probability"] for each in service["endpoints"] if each["probability"]]
            assert shares == [pytest.approx(truth["probability"])] * len(truth["endpoints"])
            for frontend in service["frontends"] if truth["internal_verdict"] == "dnat" else ():
                assert all(fate["served"] in (1.0, None) or fate["refused"] for fate in frontend["fates"].values())


@pytest.mark.parametrize("capture", [each for each in listings() if each.json], ids=lambda each: each.name)
def test_text_and_json_give_one_document(capture: Listing) -> None:
    assert capture.json is not None
    assert _without_lines(explained(capture.text)) == _without_lines(explained(capture.json))


@pytest.mark.parametrize("capture", [each for each in CAPTURES if each.json][::12], ids=lambda each: each.name)
def test_the_order_of_chains_sets_and_elements_does_not_matter(capture: Listing) -> None:
    assert capture.json is not None
    dice = random.Random(1)
    objects = json.loads(capture.json)["nftables"]
    for each in objects:
        for held in (each.get("set"), each.get("map")):
            dice.shuffle(held.get("elem", []) if held else [])
    tables, rules = ([each for each in objects if kind in each] for kind in ("table", "rule"))
    others = [each for each in objects if not {"table", "rule"} & each.keys()]
    dice.shuffle(others)
    shuffled = json.dumps({"nftables": [*tables[::-1], *others, *rules]})
    assert _without_lines(explained(shuffled)) == _without_lines(explained(capture.json))


def _without_lines(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: _without_lines(value) for key, value in found.items() if key not in ("line", "generator")}
    return sorted(map(_without_lines, found), key=str) if isinstance(found, list) else found


_PART = """table ip kube-proxy {
	map service-ips {
		type ipv4_addr . inet_proto . inet_service : verdict
		elements = { 10.96.0.10 . tcp . 53 : goto service-NWBZK7IH-kube-system/kube-dns/tcp/dns-tcp }
	}
	chain services {
		ip daddr . meta l4proto . th dport vmap @service-ips
		ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
	}
	chain service-NWBZK7IH-kube-system/kube-dns/tcp/dns-tcp {
		meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.244.2.2 . 53, 1 : 10.244.3.2 . 53 }
	}
}
"""


def test_a_table_whose_rules_need_sets_that_the_text_lacks_is_a_part_of_one() -> None:
    dump = ipt_explain.parse(_PART)
    assert any("this rule needs nodeport-ips, which is not in the text" in warning for warning in dump.warnings)
    (service,) = explained(_PART)["services"]
    assert service["state"] == "unknown"
    assert not [finding for finding in audit_read(dump) if finding.severity is Severity.ERROR]


def test_endpoints_of_one_rule_are_told_apart() -> None:
    told = run("explain", "-", stdin=_PART).out
    assert [address in told for address in ("10.244.2.2:53", "10.244.3.2:53")] == [True, True]


_NO_ENDPOINTS = 'comment "vmap to drop or reject packets to services with no endpoints"'
_LEFT_OVER = (
    f"{_NO_ENDPOINTS}\n\t\telements = {{ 10.96.0.10 . udp . 53"
    ' comment "kube-system/kube-dns:dns" : goto reject-chain }'
)


def _service(text: str, name: str, port: str) -> dict[str, Any]:
    found = [each for each in explained(text)["services"] if (each["name"], each["port_name"]) == (name, port)]
    assert len(found) == 1
    return dict(found[0])


@pytest.mark.parametrize(("release", "node"), [("1.30", 0.0), ("1.33", 1.0), ("1.36", 1.0)])
def test_a_refusal_of_a_service_that_has_endpoints_counts_where_it_is_asked_first(release: str, node: float) -> None:
    """Up to 1.32 OUTPUT asks it before the destination is translated, FORWARD afterwards."""
    text = listing(f"{release}/basic/nft-ruleset").text.replace(_NO_ENDPOINTS, _LEFT_OVER, 1)
    service = _service(text, "kube-dns", "dns")
    (frontend,) = service["frontends"]
    assert [frontend["fates"][vantage]["served"] for vantage in ("pod", "node", "outside")] == [1, node, 1]
    assert [endpoint["probability"] for endpoint in service["endpoints"]] == [0.5, 0.5]


def test_endpoints_chosen_by_a_hash_are_endpoints() -> None:
    text = listing("1.33/basic/nft-ruleset").text.replace("numgen random mod 2", "jhash ip saddr mod 2")
    service = _service(text, "kube-dns", "dns")
    assert service["state"] == "serving"
    assert [endpoint["probability"] for endpoint in service["endpoints"]] == [0.5, 0.5]


def test_an_external_address_among_the_cluster_ips_is_still_external() -> None:
    text = listing("1.36/loadbalancer/nft-ruleset").text.replace("{ 10.96.0.1,", "{ 203.0.113.1, 10.96.0.1,", 1)
    assert _service(text, "lb1", "")["cluster_ip"] == "10.96.0.17"
