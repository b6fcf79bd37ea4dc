"""Work on nodes of IPVS mode grows with the number of virtual servers, and not with its square."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

import ipt_explain
from tests.bench.ipvs import ipvs_node, partly_shown
from tests.ipvs_corpus import ipvs_nodes


def node_ports(services: int) -> Iterator[str]:
    """Services with a node port on each of three addresses of the node."""
    (captured,) = [each for each in ipvs_nodes() if each.id.endswith("/nodeport")]
    yield captured.files["iptables-save"]
    yield from (line for line in captured.files["ipset-save"].splitlines(keepends=True) if line.startswith("create "))
    yield from (f"add KUBE-NODE-PORT-TCP {30_000 + number}\n" for number in range(services))
    for address in ("192.168.50.11", "10.244.1.1", "172.17.0.1"):
        for number in range(services):
            server = f"-t {address}:{30_000 + number}"
            yield f"-A {server} -s rr\n-a {server} -r 10.1.{number >> 8}.{number & 255}:8080 -m -w 1\n"


@pytest.mark.parametrize("generate", [ipvs_node, partly_shown, node_ports])
def test_calls(generate: Callable[[int], Iterator[str]]) -> None:
    def calls(services: int) -> int:
        text = "".join(generate(services))
        events: list[str] = []
        sys.setprofile(lambda _, event, __: events.append(event))
        try:
            explained = ipt_explain.explain(ipt_explain.parse(text))
        finally:
            sys.setprofile(None)
        assert len(explained.services) == services
        return events.count("call")

    calls(100)  # what is loaded and compiled once
    assert calls(800) < 2.2 * calls(400)
