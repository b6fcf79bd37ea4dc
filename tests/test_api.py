"""The public API, used as its documentation says."""

from __future__ import annotations

import gzip
import json

import pytest

import ipt_explain
from tests.kube_corpus import scenario

DNS = "10.96.0.10"


@pytest.fixture(scope="module")
def dump() -> ipt_explain.Dump:
    return ipt_explain.parse(scenario("1.30", "basic").ipv4, source="node.txt")


@pytest.mark.parametrize("wrap", [str.encode, lambda text: gzip.compress(text.encode()), lambda text: "\ufeff" + text])
def test_text_bytes_and_gzip_are_the_same_dump(wrap, dump: ipt_explain.Dump) -> None:  # type: ignore[no-untyped-def]
    assert ipt_explain.parse(wrap(scenario("1.30", "basic").ipv4)).to_text() == dump.to_text()


def test_to_text_gives_back_every_line_but_comments(dump: ipt_explain.Dump) -> None:
    lines = [line for line in scenario("1.30", "basic").ipv4.splitlines() if not line.startswith("#")]
    assert dump.to_text().splitlines() == lines


def test_bytes_that_are_not_utf8_survive() -> None:
    line = b'-A KUBE-SERVICES -m comment --comment "caf\xe9" -j RETURN\n'
    assert line in ipt_explain.parse(b"*nat\n:KUBE-SERVICES - [0:0]\n" + line + b"COMMIT\n").to_text().encode("utf-8", "surrogateescape")


def test_an_invalid_line_has_a_place_and_a_remedy() -> None:
    with pytest.raises(ipt_explain.DumpSyntaxError) as caught:
        ipt_explain.parse("*nat\n:X - [0:0]\n-A X -d\nCOMMIT\n", source="node.txt")
    assert caught.value.line == 3
    assert caught.value.column >= 1
    assert isinstance(caught.value.remedy, str)
    assert str(caught.value).startswith("node.txt:3:")


def test_lenient_skips_such_lines_with_a_warning() -> None:
    dump = ipt_explain.parse("*nat\n:X - [0:0]\n-A X -d\n-A X -j RETURN\nCOMMIT\n", lenient=True)
    assert "-A X -j RETURN" in dump.to_text()
    assert "-A X -d" not in dump.to_text()
    assert dump.warnings


def test_explain(dump: ipt_explain.Dump) -> None:
    facts = ipt_explain.explain(dump)
    dns = next(service for service in facts.services if service.label == "kube-system/kube-dns:dns")
    assert (dns.cluster_ip, dns.port, dns.protocol) == (DNS, 53, "udp")
    assert json.loads(facts.to_json())["schema"] == "ipt-explain/explain/2"


def test_audit(dump: ipt_explain.Dump) -> None:
    severe = [finding for finding in ipt_explain.audit(dump) if finding.severity.value == "error"]
    assert severe == []


def test_trace(dump: ipt_explain.Dump) -> None:
    packet = ipt_explain.Packet(source="10.244.1.77", destination=DNS, protocol="udp", port=53, in_interface="cni0")
    found = ipt_explain.trace(dump, packet, local_addresses=["192.168.50.11"])
    assert {outcome.dnat: outcome.probability for outcome in found.outcomes} == pytest.approx(
        {"10.244.1.2:53": 0.5, "10.244.1.3:53": 0.5}
    )
    assert json.loads(found.to_json())["schema"] == "ipt-explain/trace/1"


def test_trace_of_a_packet_that_starts_on_the_node(dump: ipt_explain.Dump) -> None:
    packet = ipt_explain.Packet(source="192.168.50.11", destination=DNS, protocol="tcp", port=53, entry="output")
    found = ipt_explain.trace(dump, packet)
    assert sum(outcome.probability for outcome in found.outcomes) == pytest.approx(1)
    assert all(outcome.masqueraded for outcome in found.outcomes)
