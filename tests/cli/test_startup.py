"""A small dump is explained before a person notices, so what it does not need is not loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import ROOT, SAMPLES

_LOADED = """
import click, os, sys
before = set(sys.modules)  # what installed packages load is not ours, nor what click does
def end(status):
    print(*sys.modules.keys() - before, file=sys.stderr)
    os.kill(os.getpid(), 9)
os._exit = end
from ipt_explain.cli.main import main
main(sys.argv[1:])
"""
_HEAVY = ("lark", "networkx", "rich.", "yaml", "json", "hashlib", "socket", "pathlib", "dataclasses", "subprocess", "ssl")
_FOR_MISSPELLINGS = ("difflib", "locale")  # of click, which takes `-o` for a long option at first
_OTHER_MODES = (
    "ipt_explain.model.nft", "ipt_explain.netfilter.nft", "ipt_explain.netfilter.ipvs", "ipt_explain.analyzers.nftables",
    "ipt_explain.analyzers.ipvs", "ipt_explain.model.node.ipvs", "ipt_explain.model.node.ipsets",
)  # fmt: skip
_OTHER_WORK = (
    "ipt_explain.compare",
    "ipt_explain.trace",
    "ipt_explain.graph",
    "ipt_explain.parsing.iptables.rules.rule_parser",
    "ipt_explain.parsing.iptables.assembly", "ipt_explain.parsing.iptables.shapes.blocks",  # tables
    "ipt_explain.netfilter.walk.path", "ipt_explain.netfilter.walk.replies", "ipt_explain.netfilter.node_facts",
    "ipt_explain.analyzers.selection",
)  # fmt: skip


@pytest.mark.parametrize(
    ("command", "sample", "needless"),
    [
        ("explain", "fragment-2-three-pods.txt", (*_HEAVY, *_OTHER_MODES, *_OTHER_WORK, "ipt_explain.audit")),
        ("audit", "fragment-2-three-pods.txt", (*_HEAVY, *_OTHER_MODES, "ipt_explain.compare")),
        ("explain", "damaged-node.txt", (*_HEAVY, *_OTHER_MODES, "ipt_explain.audit")),
        ("audit", "damaged-node.txt", (*_HEAVY, *_OTHER_MODES, "ipt_explain.compare")),
    ],
)
def test_a_small_dump_loads_only_what_it_needs(
    command: str, sample: str, needless: tuple[str, ...], tmp_path: Path
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _LOADED, command, str(SAMPLES / sample)],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    loaded = run.stderr.split()
    assert "ipt_explain.model" in loaded
    assert [name for name in loaded if f"{name}.".startswith(tuple(each.rstrip(".") + "." for each in needless))] == []


@pytest.mark.parametrize("options", [("-o", "table"), ("-s", "nginx-web-1"), ("-n", "demo")])
def test_a_short_option_costs_no_more_than_a_long_one(options: tuple[str, str], tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _LOADED, "explain", *options, str(SAMPLES / "fragment-2-three-pods.txt")],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert not set(_FOR_MISSPELLINGS) & set(run.stderr.split())
