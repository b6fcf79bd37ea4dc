"""`ipt-explain compare` as a user calls it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ipt_explain.cli.main import run
from tests.compare.helpers import changed, scenario


@pytest.fixture
def dumps(tmp_path: Path) -> Path:
    """A folder with a capture, what a change made of it, and the capture's objects."""
    capture = scenario("1.30/policy")
    (tmp_path / "before.txt").write_text(capture.ipv4)
    (tmp_path / "after.txt").write_text(capture.ipv4.replace("10.244.2.13:8080", "10.244.2.99:8080"))
    (tmp_path / "objects.json").write_text(json.dumps(capture.objects))
    return tmp_path


def test_two_dumps(dumps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", f"{dumps}/before.txt", f"{dumps}/after.txt"]) == 1
    out = capsys.readouterr().out
    assert "default/etp-local-aff · tcp · IPv4" in out
    assert "  - endpoint 10.244.2.13:8080 removed" in out
    assert "  + endpoint 10.244.2.99:8080 added" in out
    assert "2 differences in 1 service port" in out


def test_rules_of_others_are_printed(dumps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, rule = (dumps / "before.txt").read_text(), "-A FORWARD -s 203.0.113.{0}/32 -j {1}"
    drops = "".join(f"{rule.format(number, 'DROP')}\n" for number in range(12))
    before = changed(text, "^(?=-A FORWARD )", f"{rule.format(7, 'ACCEPT')}\n")
    (dumps / "before.txt").write_text(before)
    (dumps / "after.txt").write_text(changed(text, "^(?=-A FORWARD )", drops))
    assert run(["compare", f"{dumps}/before.txt", f"{dumps}/after.txt"]) == 1
    out = capsys.readouterr().out
    shown = "".join(f"      + {rule.format(number, 'DROP')}\n" for number in range(10))
    assert f"      - {rule.format(7, 'ACCEPT')}\n{shown}      + 2 more rules (-o json has all)\n" in out


def test_what_a_part_of_a_dump_leaves_out_is_not_compared(dumps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    part = [line for line in (dumps / "after.txt").read_text().splitlines() if "etp-local-aff" in line]
    (dumps / "part.txt").write_text("\n".join([*part, ""]))
    run(["compare", f"{dumps}/before.txt", f"{dumps}/part.txt", "--width", "1000"])
    assert "part.txt is not a complete dump: what only the other has is not reported" in capsys.readouterr().err


def test_equal_dumps_print_one_line(dumps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (dumps / "before.txt").read_text()
    (dumps / "other.txt").write_text(text + "\n")
    assert run(["compare", f"{dumps}/before.txt", f"{dumps}/other.txt", "--width", "1000"]) == 0
    captured = capsys.readouterr()
    assert captured.out.count("\n") == 1
    assert captured.out.startswith("No difference: ") and "treat 13 service ports" in captured.out
    assert captured.err == ""


def test_equal_bytes_are_not_analysed(dumps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, copy = f"{dumps}/before.txt", f"{dumps}/copy.txt"
    Path(copy).write_text(Path(before).read_text())
    for other in (before, copy):
        assert run(["compare", before, other, "--width", "1000"]) == 0
        assert capsys.readouterr().out == f"No difference: {before} and {other} are identical.\n"
        assert run(["compare", "-o", "json", before, other]) == 0
        assert json.loads(capsys.readouterr().out) == {
            "schema": "ipt-explain/compare/2", "equal": True, "differences": [], "notes": [],
        }  # fmt: skip


def test_equal_bytes_must_be_a_dump_too(dumps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dumps / "before.txt").write_text("*nat\n-A INPUT -j\nCOMMIT\n")
    assert run(["compare", f"{dumps}/before.txt", f"{dumps}/before.txt"]) == 2
    assert "before.txt:2:" in capsys.readouterr().err


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="no /dev/fd")
def test_pipes_are_read_once(dumps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As bash makes them: ipt-explain compare <(ssh one iptables-save) <(ssh other iptables-save)."""
    pipes = []
    for name in ("before.txt", "after.txt"):
        reading, writing = os.pipe()
        with open(writing, "wb") as pipe:
            pipe.write((dumps / name).read_bytes())
        pipes.append(reading)
    try:
        assert run(["compare", *(f"/dev/fd/{pipe}" for pipe in pipes)]) == 1
    finally:
        for pipe in pipes:
            os.close(pipe)
    assert "2 differences in 1 service port" in capsys.readouterr().out


def test_json_of_two_dumps(dumps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "-o", "json", f"{dumps}/before.txt", f"{dumps}/after.txt"]) == 1
    document: Any = json.loads(capsys.readouterr().out)
    assert document["schema"] == "ipt-explain/compare/2"
    assert document["equal"] is False
    assert [each["kind"] for each in document["differences"]] == ["endpoint-removed", "endpoint-added"]
    assert all(each["nodes"] is None for each in document["differences"])


@pytest.mark.parametrize("odd", ["", "\x7f", "\udce9"])
def test_json_is_indented_as_by_python(dumps: Path, odd: str, capsys: pytest.CaptureFixture[str]) -> None:
    # Changed shares and rules of others have nested values.
    rule = f'-A FORWARD -j LOG --log-prefix "odd {odd}"\n'
    after = changed((dumps / "after.txt").read_text(), "^(?=-A FORWARD )", rule).replace("0.5000000000", "0.7000000000")
    (dumps / "after.txt").write_text(after, errors="surrogateescape")
    assert run(["compare", "-o", "json", f"{dumps}/before.txt", f"{dumps}/after.txt"]) == 1
    text = capsys.readouterr().out
    assert {"foreign-rules", "probability", "endpoint-added"} <= {
        each["kind"] for each in json.loads(text)["differences"]
    }
    assert text == json.dumps(json.loads(text), indent=2).replace("\x7f", "\\u007f") + "\n"
    assert run(["compare", "-o", "json", f"{dumps}/before.txt", f"{dumps}/before.txt"]) == 0
    assert capsys.readouterr().out == json.dumps(
        {"schema": "ipt-explain/compare/2", "equal": True, "differences": [], "notes": []}, indent=2
    ) + "\n"  # fmt: skip


def test_differences_may_be_no_failure(dumps: Path) -> None:
    assert run(["compare", "--fail-on", "never", f"{dumps}/before.txt", f"{dumps}/after.txt"]) == 0


def test_many_nodes_from_a_directory_and_from_digests(
    dumps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "nodes"
    folder.mkdir()
    healthy, odd = (dumps / "before.txt").read_text(), (dumps / "after.txt").read_text()
    for number in range(1, 12):
        (folder / f"node-{number}.txt").write_text(odd if number == 9 else healthy)
    assert run(["compare", "--nodes", str(folder)]) == 1
    from_dumps = capsys.readouterr().out
    assert "1 of 11 nodes differs. 12 of 13 service ports are the same on all nodes." in from_dumps
    assert "10 nodes see 5 endpoints, node-9 still sees 10.244.2.99:8080" in from_dumps
    for file in sorted(folder.iterdir()):
        assert run(["compare", "--digest", str(file)]) == 0
        (folder / f"{file.stem}.digest.json").write_text(capsys.readouterr().out)
        file.unlink()
    assert run(["compare", "--nodes", f"{folder}/*.digest.json"]) == 1
    assert capsys.readouterr().out == from_dumps


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ({"node": 7}, "a name is not text"),
        ({"chains": {"ipv4 chain": []}}, "'ipv4 chain' is not the key of a record"),
        ({"chains": {"ipv4 song nat PREROUTING": []}}, "'ipv4 song nat PREROUTING' is not the key of a record"),
        ({"services": {"ipv5 port tcp": {"demo/web": "c"}}}, "'ipv5 port tcp demo/web' is not the key of a record"),
    ],
)
def test_a_digest_that_does_not_fit_its_schema_is_refused(
    part: dict[str, object], why: str, dumps: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", "--digest", f"{dumps}/before.txt"]) == 0
    (dumps / "node.json").write_text(json.dumps(json.loads(capsys.readouterr().out) | part))
    run(["compare", "--nodes", f"{dumps}/node.json", f"{dumps}/after.txt", "--width", "1000"])
    assert f"node.json: this digest does not fit its schema ({why})" in capsys.readouterr().out


def test_nodes_that_agree(dumps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "--nodes", f"a={dumps}/before.txt", f"b={dumps}/before.txt"]) == 0
    assert capsys.readouterr().out == "2 nodes agree on all 13 service ports, on hooks and policies.\n"


def test_a_node_of_two_files_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = scenario("1.30/dual-stack")
    assert capture.ipv6 is not None
    for node in ("node-1", "node-2"):
        (tmp_path / f"{node}.v4.txt").write_text(capture.ipv4)
        (tmp_path / f"{node}.v6.txt").write_text(capture.ipv6)
    assert run(["compare", "--nodes", "-o", "json", str(tmp_path)]) == 0
    document: Any = json.loads(capsys.readouterr().out)
    assert (document["equal"], document["nodes"]) == (True, 2)


def test_objects_that_fit(dumps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "--objects", f"{dumps}/objects.json", f"{dumps}/before.txt"]) == 0
    assert "Nothing wrong" in capsys.readouterr().out


@pytest.mark.parametrize("output", ["text", "json", "sarif", "github", "junit"])
def test_objects_in_every_format(output: str, dumps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "-o", output, "--objects", f"{dumps}/objects.json", f"{dumps}/after.txt"]) == 1
    out = capsys.readouterr().out
    assert "IPT801" in out
    assert "IPT802" in out


def test_findings_against_objects_are_the_audits(dumps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["compare", "-o", "json", "--objects", f"{dumps}/objects.json", f"{dumps}/after.txt"]
    assert run(arguments) == 1
    document: Any = json.loads(capsys.readouterr().out)
    assert document["schema"] == "ipt-explain/audit/1"
    missing, stale = document["findings"]
    assert (missing["rule"], missing["service"]) == ("IPT801", "default/etp-local-aff")
    assert (stale["rule"], stale["name"]) == ("IPT802", "endpoint-stale")
    text = (dumps / "after.txt").read_text().splitlines()
    assert "--to-destination 10.244.2.99:8080" in text[stale["line"] - 1]
    assert run([*arguments, "--ignore", "IPT801,IPT802"]) == 0
    capsys.readouterr()
    baseline = dumps / "known.json"
    assert run([*arguments, "--write-baseline", str(baseline)]) == 0
    assert run([*arguments, "--baseline", str(baseline)]) == 0


def test_findings_that_are_folded_can_be_seen(dumps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dumps / "before.txt").write_text(scenario("1.30/basic").ipv4)
    arguments = ["compare", "--objects", f"{dumps}/objects.json", f"{dumps}/before.txt"]
    assert run(arguments) == 1
    assert " more findings (-o concise)\n" in capsys.readouterr().out
    assert run([*arguments, "-o", "concise"]) == 1
    assert capsys.readouterr().out.count(": IPT803 error default/") > 5


def test_objects_on_standard_input(
    dumps: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (dumps / "objects.json").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert run(["compare", "--objects", "-", f"{dumps}/before.txt"]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["one.txt"], "two dumps"),
        (["-", "-"], "only once"),
        (["--objects", "-", "-"], "only once"),
        (["--nodes", "--digest", "x"], "--digest cannot be used with"),
        (["--nodes"], "needs dumps"),
        (["--nodes", "no-such-*.txt"], "no file matches"),
        (["-o", "sarif", "a", "b"], "goes with --objects"),
        (["--select", "IPT801", "a", "b"], "goes with --objects"),
        (["--objects", "no-such.json", "a"], "no such file"),
    ],
)
def test_misuse_is_reported(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_an_unknown_node_is_a_usage_error(dumps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--objects", f"{dumps}/objects.json", "--node", "nod-a", f"{dumps}/before.txt"]
    assert run(["compare", *arguments]) == 2
    assert "there is node-a" in capsys.readouterr().err


def test_hostile_text_is_escaped(dumps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = changed((dumps / "before.txt").read_text(), "^COMMIT", "-A DOCKER-\x1b[31mX -j DROP\nCOMMIT")
    (dumps / "hostile\x1b[31m.txt").write_text(hostile)
    assert run(["compare", f"{dumps}/before.txt", f"{dumps}/hostile\x1b[31m.txt"]) == 1
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err
    assert "DOCKER-\\x1b[31mX" in captured.out
