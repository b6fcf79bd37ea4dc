"""Colour, links and the pager: what a terminal gets and a pipe does not."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from ipt_explain.cli.shared.pager import pager_command
from ipt_explain.cli.shared.stdio import shows_links
from tests.cli.program import ROOT, SAMPLES, run

LONG = SAMPLES / "kube-proxy-1.30-policy.txt"
SHORT = SAMPLES / "fragment-1-one-pod.txt"


@pytest.mark.parametrize(
    ("environment", "arguments", "colored"),
    [
        ({}, [], False),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"CLICOLOR_FORCE": "1"}, [], True),
        ({"CLICOLOR_FORCE": "0"}, [], False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
        ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
    ],
)
def test_colour_in_a_pipe(environment: dict[str, str], arguments: list[str], colored: bool) -> None:
    assert ("\x1b[" in run("explain", *arguments, SHORT, **environment).out) is colored


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, ["less"]),
        ({"PAGER": "more -s"}, ["more", "-s"]),
        ({"PAGER": "cat"}, []),
        ({"PAGER": "more", "IPT_EXPLAIN_PAGER": ""}, []),
        ({"PAGER": "/no/such/pager"}, []),
        ({"PAGER": "'"}, []),
    ],
)
def test_which_pager(environment: dict[str, str], words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda word, **_: None if word.startswith("/no") else word)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert pager_command() == words


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({"FORCE_HYPERLINK": "1"}, True),
        ({"FORCE_HYPERLINK": "0", "WT_SESSION": "1"}, False),
        ({"WT_SESSION": "1"}, False),  # no terminal
    ],
)
def test_links_in_a_pipe(environment: dict[str, str], shown: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert shows_links(open(os.devnull, encoding="utf-8")) is shown  # noqa: SIM115


def _on_a_terminal(tmp_path: Path, *arguments: str | Path, pager: str | None = None) -> tuple[str, str]:
    """What the program prints to a terminal of 24 rows, and what its pager was given."""
    seen = tmp_path / "seen"
    script = tmp_path / "pager"
    script.write_text(f"#!/bin/sh\n{pager or 'cat'} > '{seen}'\n", encoding="utf-8")
    script.chmod(0o755)
    keyboard, terminal = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "ipt_explain", *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=terminal, cwd=ROOT,
        env={**os.environ, "TERM": "xterm", "PAGER": str(script)},
    ) as program:  # fmt: skip
        os.close(terminal)
        printed = b""
        while True:
            try:
                piece = os.read(keyboard, 65536)
            except OSError:  # how Linux tells that the other end is closed
                break
            if not piece:
                break
            printed += piece
        assert program.wait() == 0
    os.close(keyboard)
    return printed.decode(), seen.read_text(encoding="utf-8") if seen.exists() else ""


def test_long_output_goes_through_the_pager(tmp_path: Path) -> None:
    printed, paged = _on_a_terminal(tmp_path, LONG)
    assert printed == ""
    assert len(paged.splitlines()) > 24
    assert "\x1b[" in paged


def test_short_output_bypasses_the_pager(tmp_path: Path) -> None:
    printed, paged = _on_a_terminal(tmp_path, SHORT)
    assert "demo/nginx-web-1" in printed
    assert paged == ""


def test_no_pager(tmp_path: Path) -> None:
    printed, paged = _on_a_terminal(tmp_path, "--no-pager", LONG)
    assert len(printed.splitlines()) > 24
    assert paged == ""


def test_quitting_the_pager_early_is_not_an_error(tmp_path: Path) -> None:
    printed, paged = _on_a_terminal(tmp_path, LONG, pager="head -n 1")
    assert printed == ""
    assert len(paged.splitlines()) == 1
