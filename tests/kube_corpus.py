"""Rules written by real kube-proxy binaries of several releases, with the objects that they saw.

`tests/data/kube-proxy.tar.xz` has one folder per release (1.14, 1.18, 1.22, 1.24, 1.27, 1.30) and scenario. Each was captured
by running that release against a mock API server in a network namespace and saving its rules. `truth.json` was derived from
the objects, not from the dump, and checked against the dump by an independent reader.

    for scenario in scenarios():
        dump = ipt_explain.parse(scenario.ipv4)
        ...
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.archives import read_archive


@dataclass(frozen=True)
class Scenario:
    """One capture. `files` are its texts by name, such as `iptables-save.txt`."""

    version: str
    name: str
    files: Mapping[str, str]

    @property
    def id(self) -> str:
        """`1.30/basic`."""
        return f"{self.version}/{self.name}"

    @property
    def dumps(self) -> dict[str, str]:
        """Its dumps by file name: `iptables-save.txt`, usually `ip6tables-save.txt`, sometimes `iptables-save-c.txt`."""
        return {name: text for name, text in self.files.items() if name.endswith(".txt")}

    @property
    def ipv4(self) -> str:
        """The output of iptables-save."""
        return self.files["iptables-save.txt"]

    @property
    def ipv6(self) -> str | None:
        """The output of ip6tables-save, if captured."""
        return self.files.get("ip6tables-save.txt")

    @property
    def truth(self) -> Any:
        """What the proxy should do, by family and service port; `quirk` marks where the release differs."""
        return json.loads(self.files["truth.json"])

    @property
    def objects(self) -> Any:
        """The API objects that the proxy saw."""
        return json.loads(self.files["objects.json"])

    @property
    def config(self) -> Any:
        """The proxy's configuration: version, flags, node, backend."""
        return json.loads(self.files["config.json"])

    def json(self, name: str) -> Any:
        """Any other JSON file (1.30/live-small has `events.json` and `objects-initial.json`)."""
        return json.loads(self.files[name])


@functools.cache
def scenarios() -> tuple[Scenario, ...]:
    """All captures, oldest release first."""
    by_scenario: dict[tuple[str, str], dict[str, str]] = {}
    for path, content in read_archive("kube-proxy").items():
        version, name, file = path.split("/")
        by_scenario.setdefault((version, name), {})[file] = content.decode()
    return tuple(Scenario(version, name, files) for (version, name), files in by_scenario.items())


def scenario(version: str, name: str) -> Scenario:
    """One capture by release and name. Raises KeyError if there is none."""
    for found in scenarios():
        if (found.version, found.name) == (version, name):
            return found
    raise KeyError(f"{version}/{name}")
