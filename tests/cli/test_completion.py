from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.cli.program import SAMPLES, run

NODE = SAMPLES / "kube-proxy-1.30-basic.txt"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_of_that_shell(shell: str) -> None:
    result = run("completion", shell)
    assert result.status == 0
    assert "_IPT_EXPLAIN_COMPLETE" in result.out
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=result.out, check=True, text=True)


def completions(line: str) -> list[str]:
    """What bash would offer for the last word of a line; a `|` in the line marks the cursor, else it is at the end."""
    before, _, _ = line.partition("|")
    words = line.replace("|", "")
    result = run(_IPT_EXPLAIN_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(len(before.split(" ")) - 1))
    return [value for kind, _, value in (each.partition(",") for each in result.out.splitlines()) if kind == "plain"]


def test_commands_topics_and_documents() -> None:
    assert completions("ipt-explain com") == ["compare", "completion"]
    assert completions("ipt-explain help prob") == ["probabilities"]
    assert completions("ipt-explain schema ex") == ["explain"]


def test_rules() -> None:
    assert completions("ipt-explain rules IPT20")[:2] == ["IPT201", "IPT202"]
    assert completions("ipt-explain audit --select traffic") == ["traffic-leaks"]
    assert completions("ipt-explain audit --ignore IPT709,IPT202") == ["IPT709,IPT202"]


def test_names_from_the_dump_on_either_side_of_the_cursor() -> None:
    assert completions(f"ipt-explain explain {NODE} -s kube-system/") == ["kube-system/kube-dns"]
    assert completions(f"ipt-explain explain -s kube-d| {NODE}") == ["kube-dns"]
    assert completions(f"ipt-explain audit -n d| {NODE}") == ["default"]
    assert "KUBE-POSTROUTING" in completions(f"ipt-explain show KUBE-PO| {NODE}")
    assert completions(f"ipt-explain explain --address 10.96.0.10| {NODE}")[0] == "10.96.0.10"


def test_a_dump_that_cannot_be_read_offers_nothing() -> None:
    assert completions("ipt-explain explain -s kube| /no/such/file") == []
