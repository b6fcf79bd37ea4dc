"""What the README shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ipt_explain.cli.main import COMMANDS
from tests.readme_examples import README, ROOT, commands, with_fresh_examples

TEXT = README.read_text(encoding="utf-8")
BUILT = TEXT[TEXT.index("## How it is built") : TEXT.index("### Work on it")]


def test_the_examples_are_what_the_program_prints() -> None:
    assert len(commands(TEXT)) == 4
    assert with_fresh_examples(TEXT) == TEXT


def test_every_command_is_named() -> None:
    assert set(re.findall(r"^\| `ipt-explain \[?(\w+)", TEXT, re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([a-z_]+/[a-z_/]*(?:\.py)?)`", BUILT))))
def test_every_path_in_how_it_is_built_exists(path: str) -> None:
    """Paths are relative to the checkout, the package, or one of its layers."""
    package = ROOT / "ipt_explain"
    assert (ROOT / path).exists() or (package / path).exists() or any(package.glob(f"*/{path}"))


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\b(?:samples|tests)/[\w./-]*\w", TEXT))))
def test_every_path_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_sample_is_described() -> None:
    described = set(re.findall(r"^\| `([^`]+)`", (ROOT / "samples" / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert described == {path.name for path in Path(ROOT / "samples").glob("*.txt")}


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "node.txt").write_text((ROOT / "samples" / "damaged-node.txt").read_text())
    monkeypatch.chdir(tmp_path)
    example, _rule = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})  # the example is ours
    assert "kube-system/kube-dns:dns 10.96.0.10 ['10.244.1.2', '10.244.1.3']" in capsys.readouterr().out


def test_the_configuration_example_is_understood(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from ipt_explain.cli.main import commands as program

    (example,) = re.findall(r"```ini\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "setup.cfg").write_text(example)
    sample = str(ROOT / "samples" / "kube-proxy-1.30-basic.txt")
    done = CliRunner().invoke(program, ["audit", "--config", str(tmp_path / "setup.cfg"), sample])
    assert done.exit_code in (0, 1), done.output
