"""`show` of chains, sets and tables of nftables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import run
from tests.nft_corpus import listing


def shown(tmp_path: Path, *names: str, of_json: bool = False, capture: str = "1.33/basic") -> str:
    """What `show` prints of a ruleset's chains."""
    given = listing(f"{capture}/nft-ruleset")
    path = tmp_path / "nft.txt"
    path.write_text(given.json or "" if of_json else given.text)
    told = run("show", *names, path, "--width", "100")
    assert told.status == 0, told.err
    return told.out


def document(tmp_path: Path, *names: str, of_json: bool = False) -> Any:
    """The same as JSON."""
    return json.loads(shown(tmp_path, *names, "-o", "json", of_json=of_json))


def test_a_base_chain(tmp_path: Path) -> None:
    out = shown(tmp_path, "nat-prerouting")
    assert "hook       prerouting, type nat, priority -100" in out
    assert "1  Every packet jumps to chain services (2 rules: looks up Services by address" in out
    assert "line 74" in out


@pytest.mark.parametrize("name", ["kube-system/kube-dns:dns", "kube-dns:dns", "10.96.0.10:53"])
def test_a_service_by_its_name_or_address(tmp_path: Path, name: str) -> None:
    out = shown(tmp_path, name)
    assert "spreads connections over all endpoints of kube-system/kube-dns:dns" in out
    assert "called by  services, by map service-ips for 10.96.0.10 . udp . 53" in out
    assert "one endpoint of kube-system/kube-dns:dns" in out or name == "kube-system/kube-dns:dns"


def test_json_has_no_lines(tmp_path: Path) -> None:
    out = shown(tmp_path, "masquerading", of_json=True)
    assert "with a port fully at random (fully-random)" in out
    assert " line " not in out
    assert {rule["line"] for rule in document(tmp_path, "masquerading", of_json=True)["chains"][0]["rules"]} == {None}


def test_a_map_and_the_rules_that_use_it(tmp_path: Path) -> None:
    out = shown(tmp_path, "service-ips", "--table", "ip kube-proxy")
    assert "map service-ips · ip kube-proxy" in out
    assert "type       ipv4_addr . inet_proto . inet_service : verdict" in out
    assert "used by    services: Every packet goes where map service-ips (4 elements) sends it" in out
    assert "10.96.0.10 . tcp . 53 : goto service-NWBZK7IH-kube-system/kube-dns/tcp/dns-tcp" in " ".join(out.split())


def test_the_chains_below(tmp_path: Path) -> None:
    names = [each["chain"] for each in document(tmp_path, "nat-postrouting", "--depth", "1")["chains"]]
    assert names == ["nat-postrouting", "masquerading", "nat-postrouting", "masquerading"]


def test_tables_at_a_glance(tmp_path: Path) -> None:
    out = " ".join(shown(tmp_path).split())
    assert "ip kube-proxy 27 chains, 45 rules, made by kube-proxy" in out
    assert "filter-input 2 rules; hook input, filter, priority 0, policy accept" in out
    assert "endpoint-… × 7, service-… × 4" in out.replace("│ ", "")
    assert "service-ips (4 elements)" in out
    assert "not reached from any hook" not in out


def test_as_json(tmp_path: Path) -> None:
    tables = document(tmp_path)["tables"]
    assert [(each["family"], each["table"], each["backend"]) for each in tables] == [
        ("ipv4", "ip kube-proxy", "nftables"),
        ("ipv6", "ip6 kube-proxy", "nftables"),
    ]
    assert tables[0]["sets"]["service-ips"] == 4
    (chain,) = document(tmp_path, "service-2QRHZV4L*")["chains"]
    assert chain["reached_from"] == ["nat-prerouting", "nat-output"]
    assert chain["callers"] == [{"chain": "services", "line": 35, "goto": True, "map": "service-ips"}]
    assert chain["rules"][0]["conditions"][-1] == "does not come from 10.244.0.0/16"
    assert chain["rules"][0]["jumps_to"] == "mark-for-masquerade"
    held = document(tmp_path, "cluster-ips", "--table", "ip kube-proxy")["sets"][0]
    assert (held["types"], held["elements"]) == (["ipv4_addr"], ["10.96.0.1", "10.96.0.10"])


def test_a_name_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "nft.txt"
    path.write_text(listing("1.33/basic/nft-ruleset").text)
    told = run("show", "nosuch", path)
    assert told.status == 2
    assert "there is no chain or set nosuch here" in told.err


def test_iptables_and_nftables_together(tmp_path: Path) -> None:
    path = tmp_path / "both.txt"
    path.write_text("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT\n" + listing("1.33/basic/nft-ruleset").text)
    out = run("show", path).out
    assert "INPUT  1 rule" in out
    assert "ip kube-proxy  27 chains" in out
    both = json.loads(run("show", "INPUT", "services", path, "-o", "json").out)
    assert [each["chain"] for each in both["chains"]] == ["INPUT", "services", "services"]
