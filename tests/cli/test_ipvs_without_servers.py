"""An address of IPVS mode that no virtual server takes, and servers that take only some connections: explain, audit,
trace and compare tell the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ipt_explain
from ipt_explain.cli.main import run
from tests.ipvs_corpus import ipvs_nodes

(NODE,) = [each for each in ipvs_nodes() if each.id.endswith("/basic")]
ADDRESS = "10.96.0.10"
TOOLS = ("iptables-save", "ipset-save", "ipvsadm-save", "ip-addr-kube-ipvs0")
ENTRY = f"{ADDRESS}:53 "
LO = "1: lo    inet 127.0.0.1/8 scope host lo\n"
BOUND = f"    inet {ADDRESS}/32 scope global kube-ipvs0\n"


def node(*tools: str, without: str = "", instead: tuple[str, str] = ("", "")) -> str:
    """The node's outputs, without the lines that hold a text, and with one text for another."""
    lines = [line for tool in tools for line in NODE.files[tool].splitlines(keepends=True)]
    assert BOUND in lines or "ip-addr-kube-ipvs0" not in tools
    return LO + "".join(line for line in lines if not without or without not in line).replace(*instead)


def told(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What each command says of TCP to port 53 of kube-dns, in one line."""
    dump, healthy = tmp_path / "node.txt", tmp_path / "healthy.txt"
    dump.write_text(text)
    healthy.write_text(node(*TOOLS))
    commands = {
        "explain": ["explain", "--address", ADDRESS, str(dump)],
        "audit": ["audit", "-v", str(dump)],
        "trace": ["trace", "--from", "10.244.1.99", "--to", f"{ADDRESS}:53", str(dump)],
        "compare": ["compare", str(healthy), str(dump)],
    }
    said = {}
    for name, command in commands.items():
        assert run(command) in (0, 1)
        said[name] = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "KUBE-SERVICES, ACCEPT" not in said["explain"] and "KUBE-SERVICES" not in said["compare"]
    return said


def test_an_address_of_the_node_without_a_server_ends_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = told(node(*TOOLS, without=ENTRY), tmp_path, capsys)
    assert "not translated: in ipvs, no virtual server takes the packet, which the node itself gets" in said["explain"]
    effect = "connections to it end at the node itself, which refuses them unless a program there listens on that port"
    assert effect in said["audit"]
    effect = "delivered to the node itself, which refuses it unless a program there listens on port 53"
    assert effect in said["trace"]
    assert "go on untranslated by ipvs" in said["compare"]


def test_an_address_of_no_interface_leaves_the_node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = told(node(*TOOLS, without=ENTRY, instead=(BOUND, "")), tmp_path, capsys)
    assert "in ipvs, the packet does not go to the node itself, where IPVS would take it" in said["explain"]
    assert "connections to it leave the node, and nothing answers them" in said["audit"]
    assert f"leaves for {ADDRESS}, an address that no host has" in said["trace"]


def test_where_no_interfaces_are_shown_either_may_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = node(*TOOLS[:3], without=f"{ADDRESS}:").replace(LO, "")
    said = told(text, tmp_path, capsys)
    assert "not translated: in ipvs, no virtual server takes the packet └─" in said["explain"].replace("├─", "└─")
    assert "connections to it reach none of its endpoints" in said["audit"]
    assert "leaves for" in said["trace"] and "delivered to the node itself" in said["trace"]


def test_a_server_whose_address_is_not_bound_is_named_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(node(*TOOLS, instead=(BOUND, "")), tmp_path, capsys)
    assert "in ipvs, the packet does not go to the node itself, where IPVS would take it" in said["explain"]
    assert "in ipvs the packet does not go to the node itself" in said["trace"]


@pytest.mark.parametrize(("scheduler", "refused"), [("sh", True), ("sh -b sh-fallback", False), ("rr", False)])
def test_clients_that_hash_to_a_draining_server_are_refused(
    scheduler: str, refused: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = f"-a -t {ADDRESS}:53 -r 10.244.1.2:53 -m -w 1"
    text = node(*TOOLS).replace(f"-A -t {ADDRESS}:53 -s rr", f"-A -t {ADDRESS}:53 -s {scheduler}")
    assert first in text
    said = told(text.replace(first, first.replace("-w 1", "-w 0")), tmp_path, capsys)
    assert ("may refuse connections from pods" in said["audit"]) is refused
    assert ("50.00 % rejected" in said["trace"]) is refused
    assert ("may be rejected by ipvs" in said["compare"]) is refused
    assert ("depends on" in said["explain"]) is refused


@pytest.mark.parametrize("way", ["-g", "-i"])
def test_packets_sent_on_unchanged_are_not_said_to_be_refused(
    way: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = node(*TOOLS).replace("-r 10.244.1.2:53 -m", f"-r 10.244.2.2:53 {way}")
    said = told(text, tmp_path, capsys)
    assert "IPVS sends it on unchanged" in said["trace"]
    assert "refused with port-unreachable" not in said["trace"]


STATISTICS = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
  -> RemoteAddress:Port
TCP  10.96.0.10:53                      10      100      100    10000    10000
  -> 10.244.1.2:53                      10      100      100    10000    10000
"""


def audited(text: str) -> dict[str, str]:
    """The messages of the audit's findings, by rule."""
    return {each.rule: each.message for each in ipt_explain.audit(ipt_explain.parse(text))}


def test_weights_that_a_listing_lacks_are_not_zero() -> None:
    assert "IPT915" not in audited(node("iptables-save", "ipset-save") + STATISTICS)


def test_a_bound_address_without_servers_is_told_once() -> None:
    found = audited(node(*TOOLS, without=f"{ADDRESS}:"))
    assert "IPT911" in found and "IPT913" not in found


def test_servers_of_addresses_that_are_not_the_nodes_are_said_to_be_missed() -> None:
    more = "-A -t 203.0.113.99:80 -s rr\n-a -t 203.0.113.99:80 -r 10.244.1.2:80 -m -w 1\n"
    told = audited(node(*TOOLS) + more)["IPT117"]
    assert "IPVS (kube-proxy) misses all connections" in told and "as the address is not the node's" in told


def test_columns_between_tabs_are_columns() -> None:
    listed = NODE.files["ipvsadm-Ln"]
    tabs = re.sub(" {2,}", "\t", listed)
    assert tabs != listed
    rest = node("iptables-save", "ipset-save", "ip-addr-kube-ipvs0")
    found = [ipt_explain.explain(ipt_explain.parse(text + rest)).to_json() for text in (listed, tabs)]
    assert found[0] == found[1]


def test_servers_that_no_tool_shows_are_named_in_plain_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dump = tmp_path / "node.txt"
    dump.write_text(node("iptables-save", "ipset-save"))
    assert run([str(dump)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "depends on what this input does not show: virtual servers of IPVS SERVICES" in out


def test_node_ports_are_not_called_never_masqueraded_where_no_rules_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = "Name: KUBE-NODE-PORT-TCP\nType: bitmap:port\nHeader: range 0-65535\nNumber of entries: 1\nMembers:\n30443\n"
    server = "TCP  10.0.0.11:30443 rr\n  -> 10.244.1.7:443               Masq    1      0          0\n"
    (tmp_path / "node.txt").write_text(f"{server}\n{port}")
    run(["explain", str(tmp_path / "node.txt")])
    told = capsys.readouterr().out
    assert "NodePort      30443" in told
    assert "never" not in told
