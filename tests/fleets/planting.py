"""Fleets of any size with planted faults: each node's files, and what comparing them must find.

The nodes belong to one dual-stack cluster, each with Docker's and flannel's rules, which contain the node's own network.
Some nodes have a fault. The same numbers give the same fleet.

    python -m tests.fleets.planting 5000 /tmp/nodes        # writes the files and prints the faulty nodes
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.compare.helpers import changed, scenario, without

V4, V6 = ".v4.txt", ".v6.txt"

Files = dict[str, str]
"""A node's texts by file name, without the node's name."""

_NEIGHBOURS = """\
:DOCKER-USER - [0:0]
:FLANNEL-FWD - [0:0]
"""
_NEIGHBOUR_RULES = """\
-A FORWARD -j DOCKER-USER
-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD
-A DOCKER-USER -j RETURN
-A FLANNEL-FWD -s {network} -m comment --comment "flanneld forward" -j ACCEPT
-A FLANNEL-FWD -d {network} -m comment --comment "flanneld forward" -j ACCEPT
"""


@dataclass(frozen=True)
class Fault:
    """A fault on a node. `kinds` are those of the differences that must be reported, `service` the service port that all
    of them name, if any. A fault without kinds means that the node is not compared, or, for a harmless change, that
    nothing may be reported."""

    name: str
    plant: Callable[[Files], Files]
    kinds: frozenset[str]
    service: str | None = None
    not_compared: bool = False


def healthy(number: int, version: str = "1.30") -> Files:
    """The files of a node without faults."""
    capture = scenario(f"{version}/dual-stack")
    assert capture.ipv6 is not None
    network = f"10.244.{number % 250}.0/24"
    ipv4 = changed(capture.ipv4, r"^:KUBE-EXTERNAL-SERVICES - .*\n", rf"{_NEIGHBOURS}\g<0>")
    rules = _NEIGHBOUR_RULES.format(network=network)
    ipv4 = changed(ipv4, r"^(?=-A KUBE-(?:EXTERNAL-SERVICES|FIREWALL) )", rules)
    return {V4: ipv4, V6: capture.ipv6}


def _v4(change: Callable[[str], str]) -> Callable[[Files], Files]:
    return lambda files: {**files, V4: change(files[V4])}


def _v6(change: Callable[[str], str]) -> Callable[[Files], Files]:
    return lambda files: {**files, V6: change(files[V6])}


def _both(change: Callable[[str], str]) -> Callable[[Files], Files]:
    return lambda files: {name: change(text) for name, text in files.items()}


def _before(pattern: str, rule: str) -> Callable[[str], str]:
    return lambda text: changed(text, rf"^(?={pattern})", f"{rule}\n")


def _replaced(pattern: str, new: str) -> Callable[[str], str]:
    return lambda text: changed(text, pattern, new)


def _lacks(pattern: str, count: int = 1) -> Callable[[str], str]:
    return lambda text: without(text, pattern, count)


def _moved_behind(text: str) -> str:
    """PREROUTING with another component's rule before the hook (healthy nodes have none there)."""
    rule = re.search(r"^-A FORWARD .*-j KUBE-FORWARD\n", text, re.MULTILINE)
    assert rule is not None
    return changed(text.replace(rule[0], "", 1), r"^(-A FORWARD -j DOCKER-USER\n)", r"\g<1>" + rule[0])


def _stale(chain: str, old: str, new: str) -> Callable[[str], str]:
    """An endpoint's chain with an old address of the endpoint."""

    def change(text: str) -> str:
        assert f"-A {chain} " in text
        lines = text.splitlines(keepends=True)
        return "".join(line.replace(old, new) if line.startswith(f"-A {chain} ") else line for line in lines)

    return change


def _local_only(text: str) -> str:
    """default/np as if it had external policy Local and no endpoint here."""
    return changed(
        text,
        r"^-A KUBE-EXT-LDATH6LIB7VCFHLW .*-j KUBE-MARK-MASQ\n-A KUBE-EXT-LDATH6LIB7VCFHLW -j KUBE-SVC-LDATH6LIB7VCFHLW\n",
        "-A KUBE-EXT-LDATH6LIB7VCFHLW -s 10.244.0.0/16 -j KUBE-SVC-LDATH6LIB7VCFHLW\n"
        "-A KUBE-EXT-LDATH6LIB7VCFHLW -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ\n"
        "-A KUBE-EXT-LDATH6LIB7VCFHLW -m addrtype --src-type LOCAL -j KUBE-SVC-LDATH6LIB7VCFHLW\n",
    )


def _no_proxy(text: str) -> str:
    kept = (line for line in text.splitlines(keepends=True) if "KUBE-" not in line)
    return "".join(kept)


def _no_endpoints(text: str) -> str:
    """prod/db refused, as if it had no endpoints."""
    text = without(text, "-A KUBE-SERVICES -d 10.96.0.19/32")
    rule = '-A KUBE-SERVICES -d 10.96.0.19/32 -p tcp -m comment --comment "prod/db has no endpoints" -m tcp --dport 5432 -j REJECT'
    return changed(text, r"^(?=-A KUBE-SERVICES -d 10\.96\.0\.22/32 .*-j REJECT)", f"{rule}\n")


def _kinds(*kinds: str) -> frozenset[str]:
    return frozenset(kinds)


_FOREIGN = _kinds("foreign-rules", "fate")
_SVC_WEB, _SVC_CACHE, _EXT_LB = "KUBE-SVC-CDGGSHYLG3RE2FKL", "KUBE-SVC-6AXP6HFD3SD6EFW3", "KUBE-EXT-7TVXROIT6UXCX2AG"

FAULTS = (
    Fault("foreign-drop", _v4(_before("-A FORWARD ", "-A FORWARD -d 10.244.3.0/24 -j DROP")), _FOREIGN),
    Fault("foreign-dnat", _v4(_before("-A PREROUTING ", "-A PREROUTING -d 10.96.0.10/32 -p udp -m udp --dport 53 -j DNAT --to-destination 169.254.20.10:53")), _FOREIGN),
    Fault("foreign-accept", _v4(_before("-A PREROUTING ", "-A PREROUTING -s 10.244.0.0/16 -j ACCEPT")), _FOREIGN),
    Fault("foreign-chain", _v4(_before("-A DOCKER-USER -j RETURN", "-A DOCKER-USER -p tcp -m tcp --dport 8080 -j DROP")), _FOREIGN),
    Fault("foreign-untracked", _v4(lambda text: text + "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d 10.96.0.0/12 -j NOTRACK\nCOMMIT\n# Completed\n"), _FOREIGN),
    Fault("stale-endpoint", _v4(_stale("KUBE-SEP-BHWREN4QVXBDKU7G", "10.244.3.4", "10.244.3.99")), _kinds("endpoint-added", "endpoint-removed"), "default/web:http"),
    Fault("stale-endpoint-v6", _v6(lambda text: text.replace(_endpoint6(text), "[fd00:10:244:9::99]:8080")), _kinds("endpoint-added", "endpoint-removed")),
    Fault("missing-endpoint", _v4(_lacks(f"-A {_SVC_WEB} .*10.244.3.3:8080")), _kinds("endpoint-removed"), "default/web:http"),
    Fault("missing-service", _v4(_lacks("-A KUBE-SERVICES -d 10.96.0.43/32")), _kinds("service-removed"), "default/v6first"),
    Fault("stale-service", _v4(_before(r"-A KUBE-SERVICES -d 10\.96\.0\.22/32 ", '-A KUBE-SERVICES -d 10.96.0.99/32 -p tcp -m comment --comment "default/gone has no endpoints" -m tcp --dport 80 -j REJECT')), _kinds("service-added"), "default/gone"),
    Fault("missing-hook", _v4(_lacks("-A PREROUTING .*-j KUBE-SERVICES")), _kinds("hook", "fate")),
    Fault("missing-hook-v6", _v6(_lacks("-A OUTPUT .*-j KUBE-SERVICES")), _kinds("hook", "fate")),
    Fault("hook-moved", _v4(_moved_behind), _kinds("hook")),
    Fault("no-masquerade", _v4(_lacks("-A KUBE-POSTROUTING .*-j MASQUERADE")), _kinds("masquerade")),
    Fault("forward-policy", _v4(_replaced("^:FORWARD ACCEPT", ":FORWARD DROP")), _kinds("chain-policy", "fate")),
    Fault("source-range-opened", _v4(_replaced("(?<=-A KUBE-FW-MWGV3C7IDOPW4OTV -s )198.51.100.0/24", "0.0.0.0/0")), _kinds("source-ranges"), "default/lb-src"),
    Fault("affinity-lost", _v4(_lacks(f"-A {_SVC_CACHE} .*--rcheck", 2)), _kinds("affinity"), "default/cache"),
    Fault("affinity-half", _v4(_lacks(f"-A {_SVC_CACHE} .*--rcheck")), _kinds("affinity"), "default/cache"),
    Fault("affinity-shorter", _v4(lambda text: text.replace("--rcheck --seconds 10800", "--rcheck --seconds 60")), _kinds("affinity"), "default/cache"),
    Fault("uneven", _v4(_replaced(rf"(-A {_SVC_WEB} .*--probability )0\.333\d+", r"\g<1>0.90000000000")), _kinds("probability"), "default/web:http"),
    Fault("no-hairpin", _v4(_lacks("-A KUBE-SEP-5KYHQA6S7JV2SJHX .*-j KUBE-MARK-MASQ")), _kinds("masquerade"), "default/web:http"),
    Fault("no-node-port", _v4(_lacks("-A KUBE-NODEPORTS .*--dport 30003 ")), _kinds("frontend-removed"), "default/np"),
    Fault("policy-local", _v4(_local_only), _kinds("policy", "verdict", "fate"), "default/np"),
    Fault("refused", _v4(_no_endpoints), _kinds("verdict", "endpoint-removed"), "prod/db"),
    Fault("external-not-masqueraded", _v4(_lacks(f"-A {_EXT_LB} .*-j KUBE-MARK-MASQ")), _kinds("masquerade"), "default/lb"),
    Fault("no-kube-proxy", _both(_no_proxy), _kinds("service-removed")),
    Fault("cut", _v4(lambda text: text[: len(text) // 2]), frozenset(), None, True),
    Fault("empty", _both(lambda _: ""), frozenset(), None, True),
    Fault("failed", lambda _: {".txt": "error: unable to upgrade connection: container not found\n"}, frozenset(), None, True),
    Fault("no-v6", lambda files: {V4: files[V4]}, frozenset(), None, True),
    Fault("poisoned", _v4(lambda text: text.replace("-A PREROUTING", "-A PREROUTING --no-such-option", 1)), frozenset(), None, True),
)  # fmt: skip


def _endpoint6(text: str) -> str:
    found = re.search(r"--to-destination (\[[0-9a-f:]+\]:8080)", text)
    assert found is not None
    return found[1]


def fleet(nodes: int, each: int = 1) -> Iterator[tuple[str, Files, Fault | None]]:
    """Every node with its files and its fault: `each` nodes per fault, spread over the fleet; the others are healthy."""
    step = max(1, nodes // (len(FAULTS) * each + 1))
    planted = {(index + 1) * step - 1: fault for index, fault in enumerate(FAULTS * each)}
    for number in range(nodes):
        fault = planted.get(number)
        files = healthy(number)
        yield f"node-{number}", files if fault is None else fault.plant(files), fault


def write(folder: Path, nodes: int, each: int = 1) -> dict[str, Fault]:
    """Write the files of a fleet, and return the faulty nodes with their fault."""
    folder.mkdir(parents=True, exist_ok=True)
    planted: dict[str, Fault] = {}
    for name, files, fault in fleet(nodes, each):
        for suffix, text in files.items():
            (folder / f"{name}{suffix}").write_text(text)
        if fault is not None:
            planted[name] = fault
    return planted


if __name__ == "__main__":
    for node, planted_fault in write(Path(sys.argv[2]), int(sys.argv[1])).items():
        print(node, planted_fault.name, *sorted(planted_fault.kinds), planted_fault.service or "")
