"""Chains of one Service, as `nft list chain` and `iptables -t nat -L KUBE-SVC-…` print them: its endpoints are shown, and
what the text lacks is unknown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ipt_explain
from ipt_explain.cli.main import run
from tests.nft_corpus import listing

_NFT = listing("1.33/policy/nft-ruleset").text
_SERVICE = "service-AS2KJYAD-kube-system/kube-dns/tcp/metrics"
_FIRST = "endpoint-LQXKRQ3Z-kube-system/kube-dns/tcp/metrics__10.244.2.2/9153"


def _chain(name: str) -> str:
    start = _NFT.index(f"\tchain {name} {{\n")
    return _NFT[start : _NFT.index("\t}\n", start) + 3]


def _listed(*chains: str) -> str:
    return "".join(f"table ip kube-proxy {{\n{_chain(chain)}}}\n" for chain in chains)


def _told(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    dump = tmp_path / "paste.txt"
    dump.write_text(text)
    assert run(["--width", "100", str(dump)]) == 0
    return capsys.readouterr().out


def test_a_chain_of_nftables_alone_shows_its_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = _told(_listed(_SERVICE, _FIRST), tmp_path, capsys)
    assert f"kube-system/kube-dns:metrics · tcp · unknown · {_SERVICE}\n" in told
    assert "depends on    rules of nftables that this input does not show" in told
    assert re.search(r"50\.00 %  10\.244\.2\.2:9153  hairpin ok +line \d+\n", told)
    assert re.search(r"50\.00 %  10\.244\.3\.2:9153 by its chain's name; DNAT not shown +line 4\n", told)
    assert "NOT" not in told


def test_names_that_were_replaced_are_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody recomputes the hashes in chains' names."""
    told = _told(_listed(_SERVICE, _FIRST).replace("kube-system/kube-dns", "demo/web"), tmp_path, capsys)
    assert "demo/web:metrics · tcp" in told


def test_nothing_is_wrong_with_a_chain_whose_endpoints_are_not_shown() -> None:
    assert ipt_explain.audit(ipt_explain.parse(_listed(_SERVICE))) == []


def test_a_whole_map_tells_of_all_services() -> None:
    services = ipt_explain.explain(ipt_explain.parse(_NFT)).services
    cut = ipt_explain.explain(ipt_explain.parse(_NFT.replace("\tchain services {\n", "\tchain services {\n\t\t...\n"))).services
    assert [service.name for service in services] == [service.name for service in cut]


def test_an_address_in_a_comment_is_told_as_that(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rule = '-A KUBE-SVC-AAAAAAAAAAAAAAAA -m comment --comment "demo/web:http -> 10.244.1.9:8080" -j KUBE-SEP-BBBBBBBBBBBBBBBB\n'
    told = _told(rule, tmp_path, capsys)
    assert re.search(r"\?  10\.244\.1\.9:8080 by its comment; DNAT not shown +line 1\n", told)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (
            '-A KUBE-XLB-AAAAAAAAAAAAAAAA -m comment --comment "demo/web:http has no local endpoints" -j KUBE-MARK-DROP\n',
            "100 %  marked for dropping, unless rules are missing from this input",
        ),
        (
            '-A KUBE-EXT-AAAAAAAAAAAAAAAA -m comment --comment "pod traffic for demo/web:http external destinations" -j ACCEPT\n',
            "depends on    rules of nat that this input does not show",
        ),
        (
            '-A KUBE-FW-AAAAAAAAAAAAAAAA -m comment --comment "demo/web:http loadbalancer IP" -j KUBE-EXT-AAAAAAAAAAAAAAAA\n',
            "depends on    rules of nat that this input does not show",
        ),
    ],
    ids=["XLB", "EXT", "FW"],
)
def test_other_chains_of_a_service_alone_show_it(
    rules: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = _told(rules, tmp_path, capsys)
    assert "\ndemo/web:http · " in told
    assert words in told
