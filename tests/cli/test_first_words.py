from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.program import SAMPLES, run

NODE = SAMPLES / "kube-proxy-1.30-basic.txt"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lint", NODE], "Try: ipt-explain audit"),
        (["check", NODE], "Try: ipt-explain audit"),
        (["diff", NODE, NODE], "Try: ipt-explain compare BEFORE AFTER"),
        (["10.96.0.10", NODE], f"ipt-explain --address 10.96.0.10 {NODE}"),
        (["10.96.0.10:53"], "ipt-explain --address 10.96.0.10 node.txt"),
        (["[fd00::1]:53"], "ipt-explain --address fd00::1 node.txt"),
        (["kube-system/kube-dns", NODE], f"ipt-explain -s kube-system/kube-dns {NODE}"),
        (["kube-dns", NODE], f"ipt-explain -s kube-dns {NODE}"),
        (["kube-dns", "my node.txt"], "ipt-explain -s kube-dns 'my node.txt'"),
        (["KUBE-SERVICES", NODE], f"ipt-explain show KUBE-SERVICES {NODE}"),
        (["ipt202"], "ipt-explain rules IPT202"),
        (["copmare", NODE], "Did you mean compare?"),
        (["--fail-on", "error", NODE], "--fail-on is an option of audit"),
    ],
)
def test_what_was_meant(words: list[str], said: str) -> None:
    result = run(*words)
    assert (result.status, result.out) == (2, "")
    assert said in result.err


def test_a_misspelt_option() -> None:
    result = run("--servise", "x", NODE)
    assert (result.status, result.out) == (2, "")
    # Releases of click differ in quotes, and in whether they name the nearest alone.
    assert re.search(r"(Did you mean|Possible options).*--service\b", result.err)


def test_version_is_a_word_too() -> None:
    assert run("version").out == run("--version").out


def test_a_missing_path_is_only_that() -> None:
    assert run("./lint").err == "ipt-explain: ./lint: there is no such file\n"
    assert run("node1.txt").err == "ipt-explain: node1.txt: there is no such file\n"


def test_a_directory_names_a_pattern_to_paste(tmp_path: Path) -> None:
    folder = tmp_path / "my nodes"
    folder.mkdir()
    assert run(folder).err.endswith(f"name the dumps in it ('{folder}'/*)\n")
