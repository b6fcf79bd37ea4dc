"""What a person sees who waits: the stage of the work and its share, gone when something is printed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

import pytest

from ipt_explain import progress
from tests.bench.generator import dump
from tests.cli.program import ROOT

# As if everybody waited: from the first millisecond on.
_IMPATIENT = """
import sys
from ipt_explain.cli.shared import waiting
waiting.FIRST = waiting.NEXT = 0.001
from ipt_explain.cli.main import main
main(sys.argv[1:])
"""
_SHOWN = re.compile(r"\r([A-Za-z\d ]+?(?: \d+ %)?) … *")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dumps") / "large.txt"
    path.write_text(dump(150, 10))
    return path


def _on_terminal(*words: str | Path, joined: bool = False, **environment: str) -> tuple[str, str]:
    """What a terminal gets that is standard error, and what standard output, unless that is the terminal, too."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            [sys.executable, "-c", _IMPATIENT, *map(str, words)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", **environment},
            stdin=subprocess.DEVNULL,
            stdout=theirs if joined else out,
            stderr=theirs,
        )
        os.close(theirs)
        seen = bytearray()
        try:
            while piece := os.read(ours, 4096):
                seen += piece
        except OSError:  # Linux says so that the other side is closed
            pass
        process.wait()
        os.close(ours)
        out.seek(0)
        return seen.decode(), out.read().decode()


@pytest.mark.parametrize(
    "words",
    [
        ("explain", "-o", "table"),
        ("audit",),
        ("show", "KUBE-SERVICES"),
        ("trace", "--from", "10.128.0.1", "--to", "10.96.0.1:80"),
    ],
)
def test_progress_is_shown_and_erased(words: tuple[str, ...], large: Path) -> None:
    seen, out = _on_terminal(*words, large)
    stages = _SHOWN.findall(seen)
    assert any(stage.startswith("reading ") for stage in stages)
    left = _SHOWN.sub("", seen).replace("\r\n", "\n")
    assert left.strip(" \r") == "" and seen.endswith("\r"), "nothing stays on the screen"
    assert out == _on_terminal(*words, large, TERM="dumb")[1]


def test_what_was_read_is_shown_before_the_services_are_known(large: Path) -> None:
    plain = {"NO_COLOR": "1", "IPT_EXPLAIN_PAGER": "", "COLUMNS": ""}
    waited, _ = _on_terminal("explain", large, joined=True, **plain)
    output, _ = _on_terminal("explain", large, joined=True, TERM="dumb", **plain)
    header, services, _ = output.partition("150 service ports, 1,500 endpoints")
    number = header.count("\n")
    back = f"\x1b[{number}A"
    early, erased, rest = waited.partition(back + "\x1b[K\r\n" * number + back)
    assert services and erased and rest == output
    assert _SHOWN.sub("", early).strip(" \r") == header


def test_a_dumb_terminal_gets_no_progress(large: Path) -> None:
    assert _on_terminal("explain", "-o", "json", large, TERM="dumb")[0] == ""


def test_the_search_for_dumps_is_shown_before_the_nodes_are_counted(tmp_path: Path) -> None:
    (tmp_path / "node-1.txt").write_text(dump(2, 2))
    for number in range(300):
        (tmp_path / f"{number}.log").write_text("nothing of rules\n" * 4000)
    seen, _ = _on_terminal("compare", "--nodes", tmp_path)
    before, bar, _ = seen.partition("nodes  [")
    assert bar and any(stage.startswith("looking for dumps ") for stage in _SHOWN.findall(before))
    assert _SHOWN.sub("", before).strip("\r \x1b[?25lh") == ""


def test_an_error_is_printed_in_place_of_the_progress(large: Path) -> None:
    seen, _ = _on_terminal("trace", "--to", "10.96.0.1:80", large)
    assert re.search(r"% … *\r +\ript-explain: where does the packet come from", seen)


def test_a_stage_tells_its_share() -> None:
    told = []
    for _ in progress.each_of("abcd", "spelling"):
        stage = progress.now()
        assert stage is not None
        told.append(stage.text)
    assert told == ["spelling 0 %", "spelling 25 %", "spelling 50 %", "spelling 75 %"]
