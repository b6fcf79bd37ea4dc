"""What a logger puts before every line of a dump comes off in one pass, as it does line by line."""

from __future__ import annotations

import pytest

from ipt_explain.model.dump import SourceText
from ipt_explain.parsing.pastes.carriers.logs import without_prefix
from ipt_explain.parsing.pastes.preparing import prepare

DUMP = """\
-A KUBE-SVC-A ! -s 10.244.0.0/16 -d 10.96.0.10/32 -p tcp -m comment --comment "demo/web cluster IP" -j KUBE-MARK-MASQ
-A KUBE-SVC-A -m comment --comment "demo/web -> 10.244.1.5:80" -j KUBE-SEP-A
-A KUBE-SEP-A -p tcp -m tcp -j DNAT --to-destination 10.244.1.5:80
-A KUBE-SEP-A -p tcp -m no-such-module --what 3 -j DNAT
-A KUBE-SEP-B -m comment --comment left
"""
WHOLE = f"*nat\n:KUBE-SVC-A - [0:0]\n{DUMP}COMMIT\n# Completed on Thu Nov 26 10:00:00 2026\n"
PREFIXES = [
    "node1 | ", "Nov 27 07:00:{:02} node1 dump[17]: ", "2026-11-27T07:00:{:02}.123Z ", "I1127 07:00:{:02} 12 dump.go:7] ",
    "[pod/kube-proxy-{}/kube-proxy] ", "{}. ", "({}) ", "[  {}.123456] ",
]  # fmt: skip


def _prefixed(prefix: str, text: str) -> str:
    return "".join(prefix.format(number) + line for number, line in enumerate(text.splitlines(keepends=True)))


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("text", [DUMP, WHOLE, WHOLE.rstrip("\n")])
def test_a_whole_dump_with_a_prefix_is_prepared_as_line_by_line(prefix: str, text: str) -> None:
    source = SourceText("node.log", _prefixed(prefix, text))
    at_once, each_line = prepare(source, None), prepare(source, None, mending=True)
    assert without_prefix(source.text) == (text, len(text.splitlines()))
    assert at_once == each_line


@pytest.mark.parametrize(
    "odd",
    [
        "a sentence", "node1 | a sentence", "other | -A KUBE-SVC-A -j KUBE-SEP-A", "", "node1 |", "node1 | ```", "node1 | # a note",
        "node1 | -A KUBE-SVC-A -m comment --comment a\\", "# Warning: iptables-legacy tables present, use that to see them",
    ],
)  # fmt: skip
def test_a_line_that_needs_more_makes_all_be_read_line_by_line(odd: str) -> None:
    assert without_prefix(_prefixed("node1 | ", DUMP) + odd + "\n") is None
