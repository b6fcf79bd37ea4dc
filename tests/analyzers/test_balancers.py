"""What chains that balance say of their endpoints' shares, beside what the walk of packets says: one truth."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import ipt_explain

SAMPLE = (Path(__file__).parents[2] / "samples" / "kube-proxy-1.30-basic.txt").read_text()
RANDOM = re.compile(r"--mode random --probability 0\.50*")
DNS = "KUBE-SVC-TCOU7JCQXEZGVUNU"


def _dns(text: str) -> Any:
    told = json.loads(ipt_explain.explain(ipt_explain.parse(text)).to_json())
    return next(service for service in told["services"] if service["port_name"] == "dns")


def _shares(service: Any) -> tuple[dict[str, float], dict[str, float], float]:
    """What the balancer's own chain gives each endpoint, what arrives there, and what no endpoint takes."""
    (balancer,) = (each for each in service["balancers"] if each["chain"] == DNS)
    own: dict[str, float] = {}
    for each in balancer["endpoints"]:
        own[each["endpoint"]] = own.get(each["endpoint"], 0.0) + each["probability"]
    arriving = {f"{each['address']}:{each['port']}": each["probability"] for each in service["endpoints"]}
    return own, arriving, balancer["unmatched"]


@pytest.mark.parametrize(
    ("chance", "first"),
    [
        ("--mode random --probability 0.50000000000", 0.5),
        ("--mode random --probability 0.25000000000", 0.25),
        ("--mode random ! --probability 0.25000000000", 0.75),
        ("--mode random --probability 0.00000000000", 0.0),
        ("--mode random --probability 1.00000000000", 1.0),
        ("--mode nth --every 2 --packet 0", 0.5),
        ("--mode nth --every 4 --packet 3", 0.25),
        ("--mode nth ! --every 4 --packet 0", 0.75),
    ],
)
def test_the_chains_shares_are_what_arrives(chance: str, first: float) -> None:
    service = _dns(RANDOM.sub(chance, SAMPLE))
    own, arriving, unmatched = _shares(service)
    assert own == pytest.approx({"10.244.1.2:53": first, "10.244.1.3:53": 1 - first})
    assert arriving == pytest.approx(own)
    assert unmatched == pytest.approx(0)
    assert service["state"] == "serving"


@pytest.mark.parametrize(
    ("rule", "lost"),
    [
        ("-m statistic --mode random --probability 0.4 -j RETURN", 0.4),
        ("-m statistic --mode nth --every 5 --packet 0 -j RETURN", 0.2),
        ("-j RETURN", 1.0),
        ("-m statistic --mode random --probability 0.4 -j EMPTY", 0.0),
    ],
)
def test_what_leaves_ahead_of_the_endpoints_is_shared_out_no_more(rule: str, lost: float) -> None:
    ahead = f"-A {DNS} {rule}\n"
    place = SAMPLE.index(f"-A {DNS} ")
    text = SAMPLE[:place] + ahead + SAMPLE[place:]
    text = text.replace(f":{DNS} - [0:0]\n", f":{DNS} - [0:0]\n:EMPTY - [0:0]\n")
    own, arriving, unmatched = _shares(_dns(text))
    assert own == pytest.approx(dict.fromkeys(own, (1 - lost) / 2))
    assert arriving == pytest.approx(own)
    assert unmatched == pytest.approx(lost)


_FRAGMENT = """\
-A KUBE-SERVICES -d 10.96.0.7/32 -p tcp -m comment --comment "demo/web cluster IP" -m tcp --dport 80 -j KUBE-SVC-WEB
-A KUBE-SVC-WEB -m comment --comment "demo/web" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-ONE
-A KUBE-SVC-WEB -m comment --comment "demo/web" -j KUBE-SEP-ONE
"""
_MARK = "-A KUBE-SEP-ONE -s {source} -j KUBE-MARK-MASQ\n"
_DNAT = "-A KUBE-SEP-ONE -p tcp -m tcp -j DNAT --to-destination 10.244.1.2:80\n"


def _endpoints(text: str) -> Any:
    (service,) = json.loads(ipt_explain.explain(ipt_explain.parse(text)).to_json())["services"]
    return service["endpoints"]


@pytest.mark.parametrize("chain", ["", _DNAT])
def test_a_chain_that_two_rules_lead_to_is_one_endpoint_with_both_shares(chain: str) -> None:
    (endpoint,) = _endpoints(_FRAGMENT + chain)
    assert endpoint["probability"] == pytest.approx(1.0)


@pytest.mark.parametrize("sources", [("10.244.1.2", "10.9.9.9"), ("10.9.9.9", "10.244.1.2")])
def test_any_rule_ahead_of_the_dnat_may_mark_an_endpoints_own_connections(sources: tuple[str, str]) -> None:
    marks = "".join(_MARK.format(source=f"{source}/32") for source in sources)
    (endpoint,) = _endpoints(_FRAGMENT + marks + _DNAT)
    assert endpoint["hairpin"] is True


@pytest.mark.parametrize(
    "printed", ["[unsupported revision]", "--to-destination :0 --persistent --to-destination :0 --persistent"]
)
def test_a_dnat_that_an_old_iptables_could_not_print_leads_to_an_unknown_address(printed: str) -> None:
    text = re.sub(r"(-m udp -j DNAT) --to-destination 10\.244\.1\.3:53", rf"\1 {printed}", SAMPLE)
    service = _dns(text)
    assert service["state"] == "unknown"
    assert {each["chain"]: (each["address"], each["probability"]) for each in service["endpoints"]} == {
        "KUBE-SEP-Z6M7ZHWCTBNMPLD7": ("10.244.1.2", 0.5),
        "KUBE-SEP-EJJ3L23ZA35VLW6X": (None, 0.5),
    }
    assert "error" not in [finding.severity.value for finding in ipt_explain.audit(ipt_explain.parse(text))]


def test_a_balancer_may_translate_by_itself() -> None:
    direct = re.sub(rf"(?m)^(-A {DNS} .*--probability \S+) -j \S+$", r"\1 -p udp -j DNAT --to-destination 10.244.1.99:53", SAMPLE)
    own, arriving, unmatched = _shares(_dns(direct))
    assert (own, unmatched) == ({"10.244.1.99:53": 0.5, "10.244.1.3:53": 0.5}, 0)
    assert arriving == own


@pytest.mark.parametrize("protocol", ["-p tcp", "! -p udp"])
def test_a_rule_for_another_protocol_takes_nothing(protocol: str) -> None:
    other = f"-A {DNS} {protocol} -j KUBE-SEP-BWHGELGX6BITPZVO\n"
    assert _shares(_dns(SAMPLE.replace(f"-A {DNS} ", f"{other}-A {DNS} ", 1))) == _shares(_dns(SAMPLE))
