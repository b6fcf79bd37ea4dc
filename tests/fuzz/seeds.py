"""Seeds of the fuzzer: texts that the program reads without errors, and words that have fooled programs."""

from __future__ import annotations

import tarfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LONGEST = 20_000

HOSTILE_WORDS = (
    "::error::x", "  ::stop-commands::y", "##[error]z", "##vso[task.setvariable]", "\x1b[31m", "\x9b2J", "\u202e", "\u2028",
    "\x85", "\0", "\udcff", "\ufeff", "a\u0301", "[bold]", "{x}", "<b>&", "'", '"', '\\"', "\\", "%s", "%0A", "",
    "9" * 25, "9" * 5000, "-1", "0x" + "f" * 40, "1e999", "0/0", "٣", "²", "1.0.0.0/33", "::/0", "::1/200", "1:70000", "[::", "!",
    "-j", "-g", "-m", "-A", "--comment", "--probability", "2.0", "--dport", "--every", "0", "--to-destination", "-c", "*nat", ":X",
    "COMMIT", "RETURN", "KUBE-SERVICES", "KUBE-SVC-" + "X" * 300, "MARK --set-xmark 0x4000/0x4000", "null", "[]", "{}",
)  # fmt: skip


@cache
def dumps() -> tuple[str, ...]:
    """Dumps of every form: the samples, and those in the archives of tests/data."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "samples").glob("*.txt"))]
    for path in sorted((ROOT / "tests" / "data").glob("*.tar.xz")):
        with tarfile.open(path) as archive:
            members = [member for member in archive if member.isfile() and member.size < _LONGEST]
            for member in members[:: max(1, len(members) // 12)]:
                content = archive.extractfile(member)
                if content is not None:
                    texts.append(content.read().decode("utf-8", "surrogateescape"))
    return tuple(text for text in texts if text.strip())


OBJECTS = {
    "kind": "List",
    "items": [
        {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop", "labels": {}, "annotations": {}},
            "spec": {
                "type": "LoadBalancer", "clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9", "fd00::9"], "sessionAffinity": "ClientIP",
                "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}}, "externalIPs": ["192.0.2.1"],
                "externalTrafficPolicy": "Local", "healthCheckNodePort": 30000, "loadBalancerSourceRanges": ["10.0.0.0/8"],
                "ports": [{"name": "http", "port": 80, "nodePort": 30080, "protocol": "TCP"}],
            },
            "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.9", "ipMode": "VIP"}]}},
        },
        {
            "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": "web-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
            "endpoints": [{"addresses": ["10.244.1.5"], "nodeName": "a", "conditions": {"ready": True}, "hints": {"forZones": [{"name": "z"}]}}],
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        },
        {
            "kind": "Node", "metadata": {"name": "a", "labels": {"topology.kubernetes.io/zone": "z"}},
            "spec": {"podCIDR": "10.244.1.0/24", "podCIDRs": ["10.244.1.0/24"]},
            "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.7"}], "nodeInfo": {"kubeletVersion": "v1.30.0"}},
        },
    ],
}  # fmt: skip

CONFIGS = (
    ("pyproject.toml", '[tool.ipt-explain]\nselect = ["IPT0", "IPT2"]\nignore = ["IPT004"]\nfail-on = "never"\nbaseline = "known.json"\n'),
    ("setup.cfg", "[ipt-explain]\nselect = IPT0, IPT2\nignore = IPT004\nfail-on = warning\n"),
)
