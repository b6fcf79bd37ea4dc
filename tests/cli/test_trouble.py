"""What goes wrong around a run: interrupts, full disks, odd surroundings. Never a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ipt_explain.cli import main as program
from tests.cli.program import ROOT, run

INTERRUPTED_BY = """
import sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting())
sys.argv = ["ipt-explain", *{arguments!r}]
from ipt_explain.__main__ import main
main()
"""


@pytest.mark.parametrize("module", ["click", "ipt_explain.cli.main", "ipt_explain.parsing", "ipt_explain.audit.rules", "textwrap"])
def test_an_interrupt_during_imports_exits_silently(module: str) -> None:
    code = INTERRUPTED_BY.format(module=module, arguments=["audit", "-"])
    done = subprocess.run(
        [sys.executable, "-c", code], input="*nat\nCOMMIT\n", capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stderr.strip()) in ((130, ""), (0, ""))
    if module != "textwrap":  # others may have loaded it before
        assert done.returncode == 130


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", [["--help"], ["audit", "--help"], ["--version"], ["rules"], ["explain", "-"]])
def test_a_full_disk_is_reported(arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ipt_explain", *arguments],
            input=b"-A KUBE-SERVICES -j RETURN\n", stdout=full, stderr=subprocess.PIPE, check=False, cwd=ROOT,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, b"ipt-explain: cannot write the output: No space left on device\n")


@pytest.mark.parametrize("columns", ["²", "٣", "-5", "0", "1", "9" * 30, "9" * 5000, "1e3", " ", "x"])
def test_odd_widths_are_no_widths(columns: str) -> None:
    for arguments in (["--help"], ["explain", "-"], ["audit", "-"]):
        result = run(*arguments, stdin="-A KUBE-SERVICES -j KUBE-SVC-X\n", COLUMNS=columns, LINES=columns, VTE_VERSION=columns)
        assert (result.status, "internal" in result.err) == (0, False)


def test_an_internal_error_names_the_line_of_the_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from ipt_explain.model import Rule
    from ipt_explain.parsing import read_dump

    rule = read_dump("*nat\n:A - [0:0]\n-A A -j RETURN\nCOMMIT\n").rulesets[0].tables["nat"].chains["A"].rules[0]

    def fail(rule: Rule) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(program, "finish", lambda: fail(rule))
    assert program.run(["--version"]) == 2
    assert ", at line 3 of the input: oops" in capsys.readouterr().err
