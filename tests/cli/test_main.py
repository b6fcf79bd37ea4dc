from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import ipt_explain
from ipt_explain.cli import main as program
from ipt_explain.cli.main import COMMANDS, command_first
from tests.cli.program import ROOT, SAMPLES, run

FRAGMENT = SAMPLES / "fragment-3-affinity.txt"


@pytest.mark.parametrize(
    ("given", "ordered"),
    [
        ([], ["explain"]),
        (["node.txt"], ["explain", "node.txt"]),
        (["-"], ["explain", "-"]),
        (["-o", "json", "node.txt"], ["explain", "-o", "json", "node.txt"]),
        (["explain", "node.txt"], ["explain", "node.txt"]),
        (["audit", "node.txt"], ["audit", "node.txt"]),
        (["--color", "always", "audit", "node.txt"], ["audit", "--color", "always", "node.txt"]),
        (["--color=always", "--width", "90", "show"], ["show", "--color=always", "--width", "90"]),
        (["node.txt", "audit"], ["explain", "node.txt", "audit"]),
        (["./audit"], ["explain", "./audit"]),
        (["-h"], ["-h"]),
        (["--width", "90", "--help"], ["--help"]),
        (["--version"], ["--version"]),
    ],
)
def test_explain_is_what_a_command_line_without_a_command_means(given: list[str], ordered: list[str]) -> None:
    assert command_first(given) == ordered


def test_a_path_as_first_word_and_a_pipe_are_explained_alike() -> None:
    text = FRAGMENT.read_text(encoding="utf-8")
    piped, named = run("-o", "json", stdin=text), run("-o", "json", FRAGMENT)
    assert piped.status == named.status == 0
    assert piped.out.replace('"source": "-"', f'"source": "{FRAGMENT}"') == named.out
    assert run("explain", "-o", "json", "-", stdin=text).out == piped.out


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_everywhere(option: str) -> None:
    overview = run(option)
    assert overview.status == 0
    listed = [name for name in COMMANDS if f"\n  {name} " in overview.out]
    assert "explain" in listed
    for name in listed:
        page = run(name, option)
        assert page.status == 0
        assert page.out.startswith(f"Usage: ipt-explain {name} ")


def test_version() -> None:
    assert run("--version").out == f"ipt-explain {ipt_explain.__version__}\n"


def test_a_misspelt_command_is_not_taken_for_a_file() -> None:
    result = run("audti", "node.txt")
    assert result.status == 2
    assert "there is no command and no file 'audti'. Did you mean audit?" in result.err


def test_a_file_with_nearly_a_commands_name_is_read(tmp_path: Path) -> None:
    dump = tmp_path / "audi"
    dump.write_bytes(FRAGMENT.read_bytes())
    assert run(dump).status == 0


@pytest.mark.parametrize("arguments", [["-o", "yaml"], ["--no-such-option"], ["--color", "sometimes"]])
def test_a_wrong_command_line_is_status_2_with_a_hint(arguments: list[str]) -> None:
    result = run(*arguments, stdin="")
    assert result.status == 2
    assert result.out == ""
    assert "Try 'ipt-explain explain -h' for help." in result.err


def test_words_of_the_command_line_are_escaped() -> None:
    result = run("--output", "\x1b[31m")
    assert result.status == 2
    assert "\x1b" not in result.err


def test_after_two_dashes_a_word_is_a_file_whatever_it_looks_like() -> None:
    assert run("explain", "-o", "json", "--", "-o").err == "ipt-explain: -o: there is no such file\n"


def test_a_missing_file_is_status_2_in_one_line() -> None:
    result = run("/no/such/file")
    assert (result.status, result.out, result.err) == (2, "", "ipt-explain: /no/such/file: there is no such file\n")


def test_with_nothing_to_read_both_ways_are_named() -> None:
    keyboard, terminal = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ipt_explain"], stdin=terminal, capture_output=True, check=False, cwd=ROOT, text=True
        )
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert done.returncode == 2
    assert "ipt-explain node.txt" in done.stderr
    assert "iptables-save | ipt-explain" in done.stderr


def test_live_and_files_exclude_each_other() -> None:
    result = run("--live", FRAGMENT)
    assert result.status == 2
    assert "--live" in result.err


def test_an_invalid_line_is_reported_and_nothing_else_is_printed() -> None:
    result = run(stdin="*nat\n:PREROUTING ACCEPT [0:0]\nnonsense\nCOMMIT\n")
    assert result.status == 2
    assert result.out == ""
    assert result.err.startswith("-:3:1: ")
    assert "\n  nonsense\n  ^" in result.err


def test_the_faults_of_all_files_are_reported(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text("*nat\nnonsense\nCOMMIT\n", encoding="utf-8")
    result = run(tmp_path / "one", tmp_path / "two")
    assert result.status == 2
    assert f"{tmp_path / 'one'}:2:1: " in result.err
    assert f"{tmp_path / 'two'}:2:1: " in result.err


def test_lenient_continues_and_counts_skipped_lines() -> None:
    result = run("--lenient", stdin="*nat\n:PREROUTING ACCEPT [0:0]\nnonsense\nCOMMIT\n")
    assert result.status == 0
    assert "warning: " in result.err
    assert "1 line" in result.err


def test_several_dumps_are_sources_of_their_own() -> None:
    other = SAMPLES / "fragment-1-one-pod.txt"
    result = run(FRAGMENT, other)
    assert result.status == 0
    assert f"{FRAGMENT} · IPv4" in result.out
    assert f"{other} · IPv4" in result.out


@pytest.mark.parametrize("content", [b"\x00" * 100, bytes(range(256)) * 40, b"\xff\xfe\x00", b"", b"\n\n", b"\x1f\x8bbroken"])
def test_no_bytes_lead_to_a_traceback_or_a_raw_control_character(content: bytes) -> None:
    result = run(stdin=content)
    assert result.status in (0, 2)
    assert "Traceback" not in result.err
    assert "internal error" not in result.err
    assert (result.out + result.err).replace("\n", "").isprintable()


def test_a_closed_pipe_ends_quietly() -> None:
    done = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m ipt_explain '{FRAGMENT}' | true; echo ${{PIPESTATUS[0]}}"],
        capture_output=True, check=False, cwd=ROOT, text=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_a_closed_standard_output_is_reported_in_one_line() -> None:
    done = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m ipt_explain '{FRAGMENT}' >&-"], capture_output=True, check=False, cwd=ROOT, text=True
    )
    assert (done.returncode, done.stderr) == (2, "ipt-explain: cannot write the output: standard output is closed\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a full device")
def test_a_full_disk_is_reported_in_one_line() -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ipt_explain", str(FRAGMENT)],
            stdout=full, stderr=subprocess.PIPE, check=False, cwd=ROOT, text=True,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("ipt-explain: cannot write the output: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (KeyboardInterrupt(), 130, ""),
        (MemoryError(), 2, "ipt-explain: out of memory\n"),
        (RecursionError("too deep"), 2, "internal error: RecursionError"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), 2, "internal error: UnicodeDecodeError"),
        (ValueError("\x1b[31m"), 2, "\\x1b[31m"),
    ],
)
def test_whatever_goes_wrong_there_is_a_status_and_no_traceback(
    raised: BaseException, status: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise raised

    monkeypatch.setattr(program.commands, "main", fail)
    assert program.run([]) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert "Traceback" not in captured.err


def test_an_interrupt_silently_exits_with_130() -> None:
    code = """
import os, signal
import ipt_explain.inputs
from ipt_explain.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin with it ignored
ipt_explain.inputs.read_inputs = lambda paths: os.kill(os.getpid(), signal.SIGINT) or []
main([])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, cwd=ROOT, text=True)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr


def test_colour_is_for_terminals_or_on_demand() -> None:
    assert "\x1b[" not in run(FRAGMENT).out
    assert "\x1b[" in run(FRAGMENT, "--color", "always").out
    assert "\x1b[" in run("--color=always", FRAGMENT, NO_COLOR="1").out


@pytest.mark.parametrize(("no_color", "term", "coloured"), [("", "xterm", True), ("1", "xterm", False), ("", "dumb", False)])
def test_on_a_terminal_colour_heeds_no_color_and_dumb_terminals(no_color: str, term: str, coloured: bool) -> None:
    screen, terminal = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, "-m", "ipt_explain", str(FRAGMENT)],
            stdout=terminal, check=False, cwd=ROOT, env={**os.environ, "NO_COLOR": no_color, "TERM": term},
        )  # fmt: skip
        os.close(terminal)
        shown = b""
        while chunk := _read(screen):
            shown += chunk
    finally:
        os.close(screen)
    assert b"KUBE-SVC" in shown
    assert (b"\x1b[" in shown) is coloured


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 65536)
    except OSError:  # Linux's way to tell that the other side is closed
        return b""


def test_the_width_is_respected() -> None:
    for width in (40, 60, 80, 120, 200):
        lines = run(SAMPLES / "kube-proxy-1.30-policy.txt", "--width", str(width)).out.splitlines()
        assert max(map(len, lines)) <= width
    assert run(FRAGMENT, COLUMNS="60").out == run(FRAGMENT, "--width", "60").out


def test_an_encoding_without_box_drawing_gets_ascii() -> None:
    result = run(FRAGMENT, PYTHONIOENCODING="ascii")
    assert result.status == 0
    assert "+- ClusterIP" in result.out
    assert result.out.isascii()


def test_completion_offers_commands_and_files() -> None:
    environment = {"_IPT_EXPLAIN_COMPLETE": "bash_complete", "COMP_WORDS": "ipt-explain ", "COMP_CWORD": "1"}
    lines = run(**environment).out.split()
    assert "plain,explain" in lines
    assert any(line.startswith("file,") for line in lines)


def test_a_file_named_twice_is_read_once() -> None:
    assert run(FRAGMENT, FRAGMENT).out == run(FRAGMENT).out


@pytest.mark.parametrize("word", ["[red]x[/x]", ":smile:", "a\x1b[31mb", "a\rb", "a\u2028b", "\u202ea", "a\udcffb", "\u200ba", "日本"])
@pytest.mark.parametrize("output", ["tree", "table", "json"])
def test_no_word_of_a_dump_is_acted_upon(word: str, output: str) -> None:
    chain = f"KUBE-SVC-{word}"
    dump = (
        f"*nat\n:KUBE-SERVICES - [0:0]\n:{chain} - [0:0]\n"
        f'-A KUBE-SERVICES -d 10.0.0.1/32 -p tcp -m comment --comment "{word} cluster IP" -m tcp --dport 80 -j {chain}\n'
        f"-A {chain} -j KUBE-SEP-{word}\nCOMMIT\n"
    )
    result = run("-o", output, stdin=dump)
    assert result.status in (0, 2)
    assert "internal error" not in result.err
    assert (result.out + result.err).replace("\n", "").isprintable()
    if result.status == 0 and output != "json":
        assert ("[red]x[/x]" in result.out) is (word == "[red]x[/x]")
        assert (":smile:" in result.out) is (word == ":smile:")


@pytest.mark.parametrize("text", ["", "\n\n", "# Generated by iptables-save v1.8.9\n"])
def test_explain_says_of_a_dump_without_rules_that_it_has_none(text: str) -> None:
    """A node without IPv6 saves an empty ip6tables-save."""
    explained = run("-o", "json", "-", stdin=text)
    assert (explained.status, json.loads(explained.out)["services"]) == (0, [])
    assert "run it as root" in explained.err and "nft list ruleset" in explained.err


@pytest.mark.parametrize("text", ["", "\n\n", "# Generated by iptables-save v1.8.9\n"])
@pytest.mark.parametrize(
    "words",
    [["audit"], ["trace", "--from", "10.0.0.1", "--to", "10.0.0.2:80"], ["show"], ["graph"], ["report"],
     ["compare", "--digest"]],
)  # fmt: skip
def test_no_other_command_accepts_a_dump_without_rules(words: list[str], text: str) -> None:
    refused = run(*words, "-", stdin=text)
    assert (refused.status, refused.out) == (2, "")
    assert "no rules in it" in refused.err and "run it as root" in refused.err and "nft list ruleset" in refused.err
