"""No line is wider than asked for, whatever the command, the dump and the length of its path."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipt_explain.cli.main import run
from ipt_explain.render.text.safe import cells
from tests.cli.program import SAMPLES

DUMPS = ("damaged-node.txt", "fragment-2-three-pods.txt", "kube-proxy-1.30-basic.txt")
COMMANDS = (
    ("explain",),
    ("explain", "--problems"),
    ("explain", "-o", "table"),
    ("audit", "-v", "--all"),
    ("audit", "--statistics"),
    ("trace", "--from", "10.244.1.9", "--to", "10.96.0.10:53/udp", "-v", "--why-not", "10.244.1.3:53"),
    ("show",),
    ("show", "KUBE-SERVICES"),
    ("compare", str(SAMPLES / "fragment-1-one-pod.txt")),
    ("compare", "--nodes", str(SAMPLES / "kube-proxy-1.30-policy.txt")),
)
TEXTS = (("help",), ("help", "ci"), ("help", "tree"), ("help", "explain"), ("rules",), ("rules", "IPT202"), ("rules", "IPT008"))


@pytest.fixture(scope="module")
def far_away(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with dumps whose path is longer than most terminals are wide, and has blanks."""
    folder = tmp_path_factory.mktemp("far") / ("a-folder-with-a-long-name/" * 4) / "and blanks in it"
    folder.mkdir(parents=True)
    for name in DUMPS:
        shutil.copy(SAMPLES / name, folder / name)
    return folder


def widest(printed: str) -> tuple[int, str]:
    """The width of the widest line, and that line."""
    return max((cells(line), line) for line in printed.split("\n"))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(command=st.sampled_from(COMMANDS), name=st.sampled_from(DUMPS), width=st.integers(40, 200))
def test_a_command_keeps_to_the_width(
    far_away: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...], name: str, width: int
) -> None:
    capsys.readouterr()
    assert run([*command, str(far_away / name), "--width", str(width)]) in (0, 1)
    found, line = widest(capsys.readouterr().out)
    assert found <= width, line


@pytest.mark.parametrize("width", [40, 63, 80, 140])
@pytest.mark.parametrize("words", TEXTS, ids=" ".join)
def test_texts_keep_to_the_width(words: tuple[str, ...], width: int, capsys: pytest.CaptureFixture[str]) -> None:
    if words == ("help", "explain"):
        width = max(width, 60)  # click's own layout of options
    assert run([*words, "--width", str(width)]) == 0
    found, line = widest(capsys.readouterr().out)
    assert found <= width, line
