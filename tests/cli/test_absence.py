"""Rules without Services: every command says so in the same words, and says why."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ipt_explain.cli.main import run
from tests.cli.program import SAMPLES
from tests.cli.program import run as of_program
from tests.ipvs_corpus import ipvs_nodes
from tests.nft_corpus import listing

TO = ("--from", "10.244.1.9", "--to")
FLUSHED = """\
*filter
:INPUT ACCEPT [0:0]
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
COMMIT
"""


@pytest.fixture
def emptied(tmp_path: Path) -> Path:
    """A node whose nat table was flushed."""
    text = (SAMPLES / "kube-proxy-1.30-basic.txt").read_text(encoding="utf-8")
    before, nat = text.split("*nat\n")
    kept = [line for line in nat.splitlines(keepends=True) if line.startswith((":PRE", ":INP", ":OUT", ":POST", "COMMIT"))]
    path = tmp_path / "node.txt"
    path.write_text(f"{before}*nat\n{''.join(kept)}", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "command",
    [
        ("explain",),
        ("explain", "-o", "table"),
        ("explain", "-o", "json"),
        ("explain", "-s", "kube-dns"),
        ("trace", *TO, "10.96.0.10:53/udp"),
        ("trace", *TO, "kube-system/kube-dns:dns"),
        ("report", "-o", "markdown"),
        ("report",),
    ],
    ids=" ".join,
)
def test_a_flushed_nat_table_has_one_wording(
    command: tuple[str, ...], emptied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run([*command, str(emptied)])
    said = capsys.readouterr()
    text = " ".join(f"{said.out} {said.err}".replace("&#39;", "'").split())
    assert "No Service here: filter has kube-proxy's rules, but nat has none: somebody flushed nat." in text


@pytest.mark.parametrize(
    "command",
    [("explain",), ("explain", "-o", "table"), ("audit",), ("trace", *TO, "10.96.0.10:53"), ("report", "-o", "markdown")],
    ids=" ".join,
)
def test_all_formats_word_chains_without_rules_alike(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "node.txt").write_text(FLUSHED)
    assert run([*command, str(tmp_path / "node.txt")]) == 0
    said = capsys.readouterr()
    assert "there are no rules: they were flushed" in " ".join(f"{said.out} {said.err}".split())


def test_nothing_is_judged_where_there_are_no_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "node.txt").write_text(FLUSHED)
    run(["audit", str(tmp_path / "node.txt")])
    assert capsys.readouterr().out.startswith("Nothing to check: there are no rules")


def test_sets_alone_say_nothing_about_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sets = next(node.files["ipset-list"] for node in ipvs_nodes() if node.id == "1.33/basic")
    (tmp_path / "sets.txt").write_text(sets)
    run(["audit", str(tmp_path / "sets.txt")])
    assert capsys.readouterr().out == "Nothing to check: there are no rule tables in this input\n"
    run(["explain", "--width", "200", str(tmp_path / "sets.txt")])
    assert "this input does not show where connections to 4 service ports go" in capsys.readouterr().out


def test_a_trace_for_programs_names_service_and_judgement(capsys: pytest.CaptureFixture[str]) -> None:
    run(["trace", *TO, "10.96.0.10:53/udp", "-o", "json", str(SAMPLES / "damaged-node.txt")])
    document = json.loads(capsys.readouterr().out)
    assert document["service"] == "kube-system/kube-dns:dns"
    assert [each["judgement"] for each in document["outcomes"]] == ["served", "untranslated", "served"]


def test_a_table_of_kube_proxy_without_services_is_named_as_that() -> None:
    text = listing("1.33/basic/nft-ruleset").text
    words = " ".join(of_program("explain", stdin=text).out.split())
    assert "No Service here: kube-proxy's table is here, but its maps of Services are empty" in words
    start = text.index("\tchain masquerading")
    piece = "table ip kube-proxy {\n" + text[start : text.index("\t}", start)] + "\t}\n}\n"
    words = " ".join(of_program("explain", stdin=piece).out.split())
    assert "No Service here: the maps of Services (service-ips, service-nodeports) are empty or not in this input" in words


def test_a_listing_of_nat_without_rules_says_nothing_of_filter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chains = "-P PREROUTING ACCEPT\n-P INPUT ACCEPT\n-P OUTPUT ACCEPT\n-P POSTROUTING ACCEPT\n-N KUBE-SERVICES\n"
    (tmp_path / "nat.txt").write_text(chains + "-N KUBE-MARK-MASQ\n-N KUBE-SVC-NPX46M4PTMTKRN6Y\n")
    run(["explain", str(tmp_path / "nat.txt")])
    said = " ".join(capsys.readouterr().out.split())
    assert "kube-proxy's chains in nat have no rules: somebody flushed nat. Restart kube-proxy" in said


@pytest.mark.parametrize("listed", [False, True])
def test_endpoints_alone_are_named(listed: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As `iptables-save | grep POD-ADDRESS` and `iptables -t nat -L KUBE-SEP-…` leave them."""
    saved = (
        '-A KUBE-SEP-AAAAAAAAAAAAAAAA -s 10.244.1.9/32 -m comment --comment "demo/web:http" -j KUBE-MARK-MASQ\n'
        '-A KUBE-SEP-AAAAAAAAAAAAAAAA -p tcp -m comment --comment "demo/web:http" -m tcp -j DNAT '
        "--to-destination 10.244.1.9:8080\n"
    )
    columns = (
        "Chain KUBE-SEP-AAAAAAAAAAAAAAAA (1 references)\n"
        "target     prot opt source               destination\n"
        "DNAT       tcp  --  0.0.0.0/0            0.0.0.0/0            /* demo/web:http */ tcp to:10.244.1.9:8080\n"
    )
    (tmp_path / "grep.txt").write_text(columns if listed else saved)
    run(["explain", str(tmp_path / "grep.txt")])
    said = " ".join(capsys.readouterr().out.split())
    assert "these rules show only endpoints (10.244.1.9:8080 of demo/web:http), not what leads to them" in said


def test_rules_of_userspace_mode_are_named_in_a_listing_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "Chain KUBE-PORTALS-HOST (1 references)\ntarget     prot opt source               destination\n"
        "DNAT       tcp  --  anywhere             10.254.0.1           /* default/kubernetes: */ tcp dpt:https to:10.1.1.2:47342\n"
    )
    (tmp_path / "list.txt").write_text(text)
    run(["explain", str(tmp_path / "list.txt")])
    said = " ".join(capsys.readouterr().out.split())
    assert "kube-proxy wrote these rules in userspace mode (KUBE-PORTALS and KUBE-NODEPORT chains)" in said
    assert "nft list ruleset" not in said


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("-A OVN-KUBE-NODEPORT -p tcp -m tcp --dport 30080 -j DNAT --to-destination 172.30.44.5:80\n", "OVN serves Services"),
        ("-A FORWARD -j CILIUM_FORWARD\n-A CILIUM_FORWARD -o cilium_host -j ACCEPT\n", "Cilium may serve Services"),
        ("-A FORWARD -j CILIUM_FORWARD\n-A CILIUM_FORWARD -j ACCEPT\n-A KUBE-FIREWALL -j DROP\n", "Cilium may serve Services"),
    ],
)
@pytest.mark.parametrize("whole", [False, True])
def test_what_serves_services_without_kube_proxy_is_named(
    rules: str, words: str, whole: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = "nat" if "DNAT" in rules else "filter"
    chains = "".join(f":{name} - [0:0]\n" for name in dict.fromkeys(re.findall(r"(?:-A|-j) ((?:OVN|CILIUM|KUBE)\S+)", rules)))
    built_in = "".join(f":{name} ACCEPT [0:0]\n" for name in ("OUTPUT", "FORWARD") if table == "filter" or name == "OUTPUT")
    (tmp_path / "node.txt").write_text(f"*{table}\n{built_in}{chains}{rules}COMMIT\n" if whole else rules)
    run(["explain", str(tmp_path / "node.txt")])
    assert words in " ".join(capsys.readouterr().out.split())
