"""Lines read in runs say what they say when each is read by itself, whatever is around them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_explain.errors import DumpSyntaxError
from ipt_explain.model import Dump
from ipt_explain.parsing import read_dump
from ipt_explain.parsing.ipvs.runs import Runs
from tests.ipvs_corpus import LISTED, SAVED, IpvsNode, ipvs_nodes

LINES = [
    "create S hash:ip,port family inet",
    "add S 10.0.0.1,tcp:80",
    "add S 10.0.0.2,tcp:80",
    "add S 10.0.0.3,tcp:80 timeout 9",
    "add S\t10.0.0.4,tcp:80",
    "add T 10.0.0.1",
    "add T web",
    "add T web{1",
    "add rule ip nat x counter",
    "Name: U",
    "Type: hash:ip",
    "Header: family inet",
    "Number of entries: 2",
    "Members:",
    "10.0.0.1",
    "-A -t 10.0.0.1:80 -s rr",
    "-A -u 10.0.0.1:80 -s rr -p 300",
    "-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 1",
    "-a -t 10.0.0.1:80 -r 10.1.0.2:80 -m -w 1",
    "-a -t 10.0.0.1:80 -r 10.1.0.3:99999 -m -w 1",
    "-a -t 10.0.0.1:80 -r 10.1.0.4:80",
    "TCP  10.0.0.1:80 rr",
    "  -> 10.1.0.1:80   Masq 1 0 0",
    "2: eth0: <BROADCAST,UP> mtu 1500",
    "    inet 10.9.0.1/24 scope global eth0",
    "    inet 10.9.0.2/24 scope global eth0",
    "    inet 10.9.0.999/24 scope global eth0",
    "       valid_lft forever preferred_lft forever",
    "",
    "...",
    "*filter",
    ":INPUT ACCEPT [0:0]",
    "-A INPUT -j ACCEPT",
    "COMMIT",
    "nonsense",
]


def one_by_one(*_: object) -> Iterator[object]:
    return iter(())


def read(text: str) -> tuple[object, ...]:
    try:
        found = read_dump(text, lenient=True)
    except DumpSyntaxError as error:
        return ("refused", str(error))
    return shown(found)


def shown(found: Dump) -> tuple[object, ...]:
    node = found.node
    servers = node.virtual_servers
    sets = {
        name: (each.set.type, each.set.family, each.set.complete, each.set.line, each.set.elements)
        for name, each in node.sets.items()
    }
    told = [
        (each.address, each.port, each.protocol, each.scheduler, each.persistence, each.real_servers, each.line)
        for each in (() if servers is None else servers.servers)
    ]
    return servers is not None and servers.complete, told, sets, node.addresses, found.warnings, len(found.rulesets)


@pytest.mark.parametrize("names", [SAVED, LISTED], ids=["saved", "listed"])
@pytest.mark.parametrize("node", ipvs_nodes(), ids=lambda node: node.id)
def test_captured_nodes(node: IpvsNode, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    in_runs = read(node.text(names))
    monkeypatch.setattr(Runs, "read", one_by_one)
    assert read(node.text(names)) == in_runs


BLOCKS = st.lists(st.sampled_from(LINES), min_size=1, max_size=4).flatmap(
    lambda lines: st.integers(1, 4).map(lambda times: lines * times)
)


@settings(max_examples=150, deadline=None)
@given(st.lists(BLOCKS, min_size=1, max_size=8))
def test_lines_in_any_order(blocks: list[list[str]]) -> None:
    text = "".join(f"{line}\n" for block in blocks for line in block)
    in_runs = read(text)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Runs, "read", one_by_one)
        assert read(text) == in_runs
