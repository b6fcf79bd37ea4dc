"""`ipt-explain audit` and `ipt-explain rules`, as a CI job runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipt_explain.cli.main import run

FAULTY = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j NOWHERE\n-A INPUT -j LOG\n-A INPUT -j LOG\nCOMMIT\n"
HEALTHY = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n"


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory to work in, with a faulty dump `node.txt` and a healthy one `well.txt`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "node.txt").write_text(FAULTY, encoding="utf-8")
    (tmp_path / "well.txt").write_text(HEALTHY, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ("audit well.txt", 0),
        ("audit node.txt", 1),
        ("audit node.txt well.txt", 1),
        ("audit --fail-on never node.txt", 0),
        ("audit --select IPT004 node.txt", 0),
        ("audit --select IPT004 --fail-on info node.txt", 1),
        ("audit --ignore IPT001 node.txt", 0),
        ("audit --select IPT999 node.txt", 2),
        ("audit --fail-on always node.txt", 2),
        ("audit none.txt", 2),
        ("rules", 0),
        ("rules IPT001", 0),
        ("rules undefined-chain IPT7", 0),
        ("rules IPT999", 2),
    ],
)
def test_exit_status(node: Path, arguments: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments.split()) == status
    assert "Traceback" not in capsys.readouterr().err


def test_select_and_fail_on_come_from_the_configuration(node: Path) -> None:
    (node / "setup.cfg").write_text("[ipt-explain]\nselect = IPT004\nfail-on = info\n", encoding="utf-8")
    assert run(["audit", "node.txt"]) == 1
    assert run(["audit", "--fail-on", "warning", "node.txt"]) == 0


def test_a_mistake_in_the_configuration_stops_the_audit(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (node / "setup.cfg").write_text("[ipt-explain]\nignored = IPT004\n", encoding="utf-8")
    assert run(["audit", "node.txt"]) == 2
    assert "unknown option ignored; the nearest is ignore" in capsys.readouterr().err


def test_a_baseline_of_today_fails_only_what_is_new_tomorrow(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--write-baseline", "known.json", "node.txt"]) == 0
    assert run(["audit", "--baseline", "known.json", "node.txt"]) == 0
    assert "2 known findings left out by the baseline" in capsys.readouterr().out
    (node / "node.txt").write_text(FAULTY.replace("COMMIT", "-A INPUT -j ELSEWHERE\nCOMMIT"), encoding="utf-8")
    assert run(["audit", "--baseline", "known.json", "-o", "json", "node.txt"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert [finding["rule"] for finding in findings] == ["IPT001"]
    assert "ELSEWHERE" in findings[0]["message"]


def test_json_stands_alone_on_standard_output(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["audit", "-o", "json", "node.txt", "well.txt"])
    document = json.loads(capsys.readouterr().out)
    assert {finding["source"] for finding in document["findings"]} == {"node.txt"}


def test_an_unknown_rule_names_the_nearest(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["rules", "undefind-chain"])
    assert "the nearest is undefined-chain" in capsys.readouterr().err


def test_a_page_is_printed_by_its_slug(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["rules", "undefined-chain"])
    assert capsys.readouterr().out.startswith("IPT001 undefined-chain\nerror;")


def test_the_configuration_that_was_used_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "node.txt").write_text("-A INPUT -j LOG\n")
    (tmp_path / "setup.cfg").write_text("[ipt-explain]\nignore = IPT0\nfail-on = never\n")
    assert run(["audit", "node.txt"]) == 0
    assert "note: configuration setup.cfg turns off 11 of " in capsys.readouterr().err
    assert run(["audit", "--no-config", "node.txt"]) == 0
    assert "setup.cfg" not in capsys.readouterr().err
    assert run(["audit", "--no-config", "--config", "setup.cfg", "node.txt"]) == 2


@pytest.mark.parametrize("arguments", [["--ignore", "IPT"], ["--select", "IPT8"], []])
def test_silence_with_no_rule_asked_is_no_success(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "node.txt").write_text("-A INPUT -j LOG\n")
    if not arguments:
        (tmp_path / "setup.cfg").write_text("[ipt-explain]\nignore = IPT\n")
    assert run(["audit", *arguments, "node.txt"]) == 2
    said = capsys.readouterr()
    assert "no rule is left to run" in said.err
    assert said.out == ""
