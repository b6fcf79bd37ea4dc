"""Files and directories of nodes that are missing, empty or unreadable: none of their nodes is silently left out."""

from __future__ import annotations

import builtins
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from ipt_explain.cli.main import run
from ipt_explain.compare.fleet import places
from ipt_explain.compare.fleet.nodes import node_files
from ipt_explain.inputs.nodes.kinds import FileKind, kind_of
from ipt_explain.inputs.nodes.names import file_name
from ipt_explain.inputs.nodes.sources import SourceFile, Sources, Survey
from ipt_explain.inputs.nodes.unreadable import UnreadableFile
from tests.compare.helpers import scenario
from tests.inputs.test_node_sources import tar_of

HEALTHY = scenario("1.30/basic").ipv4.encode()


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with the folders of three nodes in `dumps`."""
    monkeypatch.chdir(tmp_path)
    for name in ("worker-1", "worker-2", "worker-3"):
        put(f"dumps/{name}/today.txt", HEALTHY)
    return tmp_path


def put(path: str, content: bytes) -> None:
    """Write a file."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(content)


def compared(capsys: pytest.CaptureFixture[str], *sources: str) -> tuple[int, dict[str, str], str]:
    """The exit status, why nodes are not compared, and the warnings."""
    status = run(["compare", "--nodes", "-o", "json", *sources])
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    return status, {each["node"]: each["why"] for each in document["not_compared"]}, captured.err


def forbid(monkeypatch: pytest.MonkeyPatch, *paths: str) -> None:
    """Deny access to files and directories, from which nothing keeps root, who may run the tests."""
    opened, scanned = builtins.open, os.scandir

    def checked(path: Any) -> None:
        if path in paths:
            raise PermissionError(13, "Permission denied", path)

    def guarded_open(path: Any, *args: Any, **options: Any) -> Any:
        checked(path)
        return opened(path, *args, **options)

    def guarded_scan(path: Any) -> Any:
        checked(path)
        return scanned(path)

    monkeypatch.setattr(builtins, "open", guarded_open)
    monkeypatch.setattr(os, "scandir", guarded_scan)


def test_an_unreadable_directory_of_a_node(
    nodes: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid(monkeypatch, "dumps/worker-3")
    assert compared(capsys, "dumps") == (1, {"worker-3": "dumps/worker-3: permission denied"}, "")
    assert run(["audit", "dumps"]) == 0
    assert "warning: dumps/worker-3 skipped: permission denied\n" in capsys.readouterr().err


def test_an_unreadable_file_has_the_name_that_its_neighbours_tell(
    nodes: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid(monkeypatch, "dumps/worker-2/today.txt")
    assert compared(capsys, "dumps") == (1, {"worker-2": "dumps/worker-2/today.txt: permission denied"}, "")


def test_other_files_that_cannot_be_read_are_no_nodes(
    nodes: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("dumps/worker-1/etc/secret", b"x")
    Path("dumps/worker-1/etc/resolv.conf").symlink_to("../run/nowhere")
    Path("dumps/worker-1/proc").mkdir()
    Path("dumps/lost+found").mkdir()
    forbid(monkeypatch, "dumps/worker-1/etc/secret", "dumps/lost+found")
    warning = (
        "warning: 2 files not read: dumps/worker-1/etc/resolv.conf (this link leads nowhere), "
        "dumps/worker-1/etc/secret (permission denied)\n"
    )
    assert compared(capsys, "dumps") == (0, {}, warning)


def test_links_and_empty_directories_beside_nodes(nodes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put("elsewhere/today.txt", HEALTHY)
    Path("dumps/worker-4").mkdir()
    Path("dumps/worker-5").symlink_to(nodes / "elsewhere")
    Path("dumps/worker-6").symlink_to("nowhere")
    Path("dumps/worker-7").mkdir()
    Path("dumps/worker-7/today.txt").symlink_to("nowhere")
    Path("dumps/again").symlink_to(".")
    Path("dumps/round").symlink_to("round")
    status, why, _ = compared(capsys, "dumps")
    assert (status, why) == (
        1,
        {
            "round": "dumps/round: this link leads nowhere",
            "worker-4": "dumps/worker-4: this directory is empty",
            "worker-5": "dumps/worker-5: links to directories are not followed",
            "worker-6": "dumps/worker-6: this link leads nowhere",
            "worker-7": "dumps/worker-7/today.txt: this link leads nowhere",
        },
    )


def test_sources_without_rules(nodes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("dumps/worker-4").mkdir()
    put("dumps/worker-5/notes/today.log", b"nothing")
    sources = [f"dumps/worker-{number}" for number in range(1, 6)]
    status, why, _ = compared(capsys, *sources)
    assert (status, why) == (
        1,
        {
            "worker-4": "dumps/worker-4: there is no file in this directory",
            "worker-5": "dumps/worker-5: no file in it holds a node's rules",
        },
    )
    assert run(["compare", "--nodes", "dumps/worker-4"]) == 2
    assert capsys.readouterr().err == "ipt-explain: dumps/worker-4: there is no file in this directory\n"


def test_an_archive_without_rules_among_those_of_nodes(nodes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("worker-1", "worker-2", "worker-3"):
        path = "sos_commands/firewall_tables/iptables-save" if name != "worker-2" else "etc/hosts"
        report = f"sosreport-{name}-2026-01-01-abcdefg"
        put(f"all/{report}.tar.gz", gzip.compress(tar_of({f"{report}/{path}": HEALTHY if name != "worker-2" else b"x"})))
    why = "all/sosreport-worker-2-2026-01-01-abcdefg.tar.gz: no file in it holds a node's rules"
    for sources in (["all"], ["all/*"], sorted(map(str, Path("all").iterdir()))):
        status, found, _ = compared(capsys, *sources)
        assert (status, found) == (1, {"worker-2": why})


def test_a_file_that_goes_between_search_and_reading(nodes: Path) -> None:
    put("all.tar", tar_of({"a.txt": HEALTHY, "b.txt": HEALTHY}))
    sources = Sources(["all.tar"])
    entries = sources.survey().entries
    put("all.tar", tar_of({"a.txt": HEALTHY}))
    gone = UnreadableFile("all.tar/b.txt", "it has gone since the search")
    assert list(sources.contents(entries)) == [(entries[0], HEALTHY), (entries[1], gone)]


def test_a_file_beyond_a_limit_is_named_once(
    nodes: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("dumps/worker-2/today.txt", HEALTHY + b"\n" * 99_999)
    monkeypatch.setenv("IPT_EXPLAIN_MAX_INPUT_BYTES", "90000")
    path = "dumps/worker-2/today.txt"
    why = f"{path}: it holds more than 90,000 bytes; if you trust it, IPT_EXPLAIN_MAX_INPUT_BYTES=180000 allows more"
    assert compared(capsys, "dumps") == (1, {"worker-2": why}, "")


def test_noise_is_binary_and_no_text() -> None:
    noise = bytes(byte * 7 % 251 for byte in range(5000))
    assert kind_of(noise) is FileKind.BINARY
    assert kind_of(HEALTHY + noise * 99) is FileKind.SAVE
    assert kind_of("Fehler: Zugriff verweigert für Knoten\n".encode("latin-1")) is FileKind.OTHER
    assert kind_of(b"\x1b[31merror\x1b[0m\r\n") is FileKind.OTHER


def test_the_output_of_ip_about_one_interface_names_no_node() -> None:
    assert file_name("ipvs-1/ip-addr-kube-ipvs0.txt") == file_name("ipvs-1/ip_-d_addr_show_dev_kube-ipvs0") == "ipvs-1"


def test_other_files_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of nodes' files have thousands of others each."""
    survey = Survey()
    for number in range(30):
        report = f"sosreport-w{number}-2026-01-01-abcdefg/sos_commands"
        dump = f"{report}/firewall_tables/iptables-save"
        survey.entries.append(SourceFile(dump, dump, FileKind.SAVE))
        others = [f"{report}/process/ps_{kind}" for kind in range(30)]
        survey.passed_over += [SourceFile(path, path, FileKind.OTHER, first_line="x") for path in others]
    looked: list[str] = []
    original = places._places
    monkeypatch.setattr(places, "_places", lambda path: looked.append(path) or original(path))
    found = node_files(survey, None)
    assert (len(found.jobs), found.not_compared, found.passed_over) == (30, (), 900)
    assert len(looked) < 3 * (30 + 900)
