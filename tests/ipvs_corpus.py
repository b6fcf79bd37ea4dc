"""Captured nodes in kube-proxy's IPVS mode.

`tests/data/ipvs.tar.xz` has one folder per release and scenario. kube-proxy ran against a mock API server; rules, sets and
addresses come from the kernel, virtual servers from kube-proxy's requests to it. `truth.json` was derived from the objects.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.archives import read_archive

SAVED = ("iptables-save", "ip6tables-save", "ipset-save", "ipvsadm-save", "ip-addr-kube-ipvs0")
LISTED = ("ipvsadm-Ln", "ipset-list", "iptables-save", "ip6tables-save", "ip-addr-kube-ipvs0")


@dataclass(frozen=True)
class IpvsNode:
    """One capture; `files` are its texts by name without `.txt` and `.json`."""

    id: str
    files: Mapping[str, str]

    def text(self, names: tuple[str, ...] = SAVED) -> str:
        """The outputs of these tools, one after another."""
        return "".join(self.files.get(name, "") for name in names)

    @property
    def truth(self) -> Any:
        """Virtual servers by family, with their Services."""
        return json.loads(self.files["truth"])

    @property
    def objects(self) -> str:
        """The API objects that kube-proxy saw, as JSON."""
        return self.files["objects"]


@functools.cache
def ipvs_nodes() -> tuple[IpvsNode, ...]:
    """All captures, sorted by release and scenario."""
    found: dict[str, dict[str, str]] = {}
    for path, content in read_archive("ipvs").items():
        folder, _, file = path.rpartition("/")
        found.setdefault(folder, {})[file.rpartition(".")[0]] = content.decode()
    return tuple(IpvsNode(folder, files) for folder, files in found.items())
