"""Host ports as the CNI portmap plugin maps them: CNI-HOSTPORT-DNAT leads to one CNI-DN chain per pod, which has the
DNAT.

Facts: containernetworking/plugins, plugins/meta/portmap/portmap.go.
"""

from __future__ import annotations

import re

from ipt_explain.model import Rule, Ruleset
from ipt_explain.records import Record

_CONTAINER = re.compile(r'id: \\*"([0-9a-f]+)')
ENTRIES = "CNI-HOSTPORT-DNAT"


class HostPortClash(Record):
    """One host port (`address` None: on all addresses) that several entries lead to different destinations."""

    protocol: str
    address: str | None
    port: str
    entries: tuple[Rule, ...]
    destinations: tuple[str, ...]


def find_clashes(ruleset: Ruleset) -> tuple[HostPortClash, ...]:
    """Host ports that more than one pod claims, in the order of the text."""
    claims: dict[tuple[str, str | None, str], dict[str, Rule]] = {}
    for entry in ruleset.rules("nat", ENTRIES):
        mapping = None if entry.target is None else ruleset.chain("nat", entry.target)
        if mapping is None and entry.target is not None:  # a paste of the entries alone
            for claimed in filter(None, (entry.match("multiport", "--dports") or "").split(",")):
                claims.setdefault((entry.core("-p") or "any", None, claimed), {}).setdefault(entry.target, entry)
        for rule in mapping.rules if mapping is not None else ():
            port = _destination_port(rule)
            destination = rule.target_value("--to-destination")
            if port is not None and destination is not None:
                key = (rule.core("-p") or "any", rule.core("-d"), port)
                claims.setdefault(key, {}).setdefault(destination, entry)
    return tuple(
        HostPortClash(protocol, address, port, tuple(found.values()), tuple(found))
        for (protocol, address, port), found in claims.items()
        if len(found) > 1
    )


def container_of(entry: Rule) -> str | None:
    """The ID of an entry's container, from the plugin's comment."""
    found = _CONTAINER.search(entry.comment or "")
    return None if found is None else found[1]


def _destination_port(rule: Rule) -> str | None:
    for module in ("tcp", "udp", "sctp"):
        port = rule.match(module, "--dport")
        if port is not None:
            return port
    return None
