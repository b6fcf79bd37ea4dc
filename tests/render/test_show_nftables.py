"""`show NAME` of chains of nftables."""

from __future__ import annotations

from pathlib import Path

from tests.cli.program import run
from tests.nft_corpus import listing


def shown(tmp_path: Path, *names: str, json: bool = False) -> str:
    """What `show` prints of a ruleset's chains."""
    given = listing("1.33/basic/nft-ruleset")
    path = tmp_path / "nft.txt"
    path.write_text(given.json or "" if json else given.text)
    told = run("show", *names, path, "--width", "100")
    assert told.status == 0, told.err
    return told.out


def test_a_base_chain(tmp_path: Path) -> None:
    out = shown(tmp_path, "nat-prerouting")
    assert "hook       prerouting, type nat, priority -100" in out
    assert "1  jump services" in out
    assert "line 74" in out


def test_a_service_by_its_name(tmp_path: Path) -> None:
    out = shown(tmp_path, "kube-system/kube-dns:dns")
    assert "spreads connections over all endpoints of kube-system/kube-dns:dns" in out
    assert "called by  map service-ips" in out
    assert "kube-dns:metrics" not in out


def test_json_has_no_lines(tmp_path: Path) -> None:
    out = shown(tmp_path, "masquerading", json=True)
    assert "masquerade fully-random" in out
    assert " line " not in out


def test_a_name_that_no_chain_has(tmp_path: Path) -> None:
    path = tmp_path / "nft.txt"
    path.write_text(listing("1.33/basic/nft-ruleset").text)
    told = run("show", "no-such-chain", path)
    assert (told.status, told.out) == (2, "")
    assert "no-such-chain" in told.err
