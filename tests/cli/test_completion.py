from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import ROOT, SAMPLES, run

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


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment in which a shell finds the program by its name."""
    program = tmp_path / "bin" / "ipt-explain"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m ipt_explain "$@"\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(tmp_path), "TERM": "dumb", "PS1": "> "}


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


@needs("fish")
def test_fish_offers_what_the_program_knows(installed: dict[str, str]) -> None:
    def offered(line: str) -> list[str]:
        asked = f"ipt-explain completion fish | source; complete --do-complete '{line}'"
        done = subprocess.run(["fish", "--no-config", "-c", asked], env=installed, capture_output=True, text=True, check=True)
        return [each.partition("\t")[0] for each in done.stdout.splitlines()]

    assert offered("ipt-explain com") == ["compare", "completion"]
    assert offered(f"ipt-explain explain {NODE} -s kube-system/") == ["kube-system/kube-dns"]


@needs("bash")
def test_bash_offers_what_the_program_knows(installed: dict[str, str]) -> None:
    asked = (
        'eval "$(ipt-explain completion bash)"; COMP_WORDS=(ipt-explain rules IPT20); COMP_CWORD=2; '
        'complete -p ipt-explain >/dev/null && _ipt_explain_completion ipt-explain && printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "--norc", "-c", asked], env=installed, capture_output=True, text=True, check=True)
    assert done.stdout.split()[:2] == ["IPT201", "IPT202"]


@needs("zsh")
def test_zsh_completes_an_unambiguous_word(installed: dict[str, str], tmp_path: Path) -> None:
    """zsh completes at its prompt alone, so it is given a terminal of its own."""
    script = tmp_path / "ask.zsh"
    script.write_text(
        "zmodload zsh/zpty\n"
        "zpty shell zsh -f -i\n"
        "zpty -w shell 'autoload -U compinit; compinit -D -u; eval \"$(ipt-explain completion zsh)\"; echo ready$((1+1))'\n"
        "zpty -r shell line '*ready2*'\n"
        "zpty -w -n shell $'ipt-explain schema exp\\t'\n"
        "zpty -r shell line '*schema explain*'\n"
        "print -r -- $line\n"
    )
    done = subprocess.run(["zsh", "-f", str(script)], env=installed, capture_output=True, text=True, check=False, timeout=120)
    assert "schema explain" in done.stdout
