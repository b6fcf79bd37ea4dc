"""Traces against what a kernel did with real packets, as recorded: verdict, DNAT, masquerade, and how often each."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

import ipt_explain
from ipt_explain.model import Dump
from ipt_explain.trace import Packet, Trace, trace
from tests.corpora import KernelCase, kernel_cases
from tests.kernel.judge import disagreement
from tests.kernel.laboratory import Fate

# Sets are not in the dump: their case is traced with its members as assumptions.
_SETS = {"51-ipset-loopback": [f"dst {ip},tcp:8080; src {ip},=yes" for ip in ("10.244.1.5", "10.244.1.6", "10.244.2.7")]
         + ["KUBE-LOOP-BACK=no"]}  # fmt: skip


@pytest.mark.parametrize("case", kernel_cases(), ids=lambda case: case.name)
def test_traces_predict_what_was_observed(case: KernelCase) -> None:
    dump = ipt_explain.parse(case.dump)
    judged = 0
    for entry in case.data["packets"]:
        if _with_memory(entry):
            continue
        told = _traced(dump, case, entry["packet"])
        for backend, observed in entry["observed"].items():
            said = disagreement(told, _fates(observed))
            assert not said, f"{backend} {entry['packet']}: {said}"
            judged += 1
    assert judged or all(map(_with_memory, case.data["packets"]))


def _with_memory(entry: Any) -> bool:
    """Whether later packets of an observation followed earlier ones, by affinity or by counting."""
    packet = entry["packet"]
    return (
        bool(packet.get("affinity") or packet.get("sequence") or entry.get("sticky_single_client"))
        or entry["expected" if "expected" in entry else "packet"] == "one-of-three"
    )


def _traced(dump: Dump, case: KernelCase, sent: Any) -> Trace:
    options, interfaces = case.data["options"], case.data["interfaces"]
    source = sent["src"] if isinstance(sent["src"], str) else sent["src"][0]
    host = sent["from"] == "host"
    packet = Packet(
        source.partition("/")[0],
        sent["dst"],
        sent.get("proto", "tcp"),
        sent.get("dport"),
        entry="output" if host else "prerouting",
        in_interface=None if host else interfaces[sent["from"]],
        source_port=sent.get("sport"),
        physdev_in="vethpod0" if options.get("bridge_if") and sent["from"] == "pod" else None,
    )
    local = [case.data["node_ip"], *(text.partition("@")[0] for text in options.get("local_ips", ()))]
    return trace(dump, packet, local, interfaces["out"], assume=_SETS.get(case.name, ()))


def _fates(observed: Any) -> Counter[Fate]:
    found: Counter[Fate] = Counter()
    for outcome in observed["outcomes"]:
        found[Fate(outcome["verdict"], outcome["dnat"], outcome["masqueraded"])] += outcome["count"]
    return found
