"""The records of a node's chains in a digest: policies, built-in chains, kube-proxy's own, other components'.

A record is a JSON value under a key such as `ipv4 policy filter FORWARD`. To compare two records of one key, each
becomes a ruleset that holds nothing else.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from ipt_explain.compare.fleet.records.canonical import compact
from ipt_explain.compare.fleet.records.keys import RecordKey, RecordKind
from ipt_explain.compare.rulesets.skeleton import ForeignChain, Place, PlacedRule, Skeleton
from ipt_explain.errors import UsageError

MOST_RULES = 100
"""The most rules of another component's chain that a digest spells out; it has a hash of longer ones."""

# Includes `! -d ::1/128`, which releases up to 1.26 wrote.
_NODE_ADDRESS = re.compile(r"(?: !)? -d [0-9a-fA-F.:]+/(?:32|128)(?= .*-j KUBE-NODEPORTS)")
# Names of single workloads, bridges or interfaces: `cali-tw-cali1a2b3c4d5e6`, `br-1a2b3c4d5e6f`, `veth12ab34cd`.
_WORKLOAD = re.compile(
    r"(?<![\w.:/])(?:cali[0-9a-f]{6,}|veth[0-9a-f]{4,}|vnet\d+|tap[0-9a-f-]{6,}|lxc[0-9a-z]{6,}|eni[0-9a-f]{8,}|azv[0-9a-f]{6,}"
    r"|br-[0-9a-f]{10,}|CNI-(?:DN-)?[0-9a-f]{16,}|CNI-SN-\w{12,}|KUBE-(?:NWPLCY|POD-FW|SRC|DST)-\w{12,}"
    r"|cali-(?:tw|fw|pi|po|pri|pro)-\S+|cali-th-\S+|WEAVE-NPC-\w*\d\w*)"
)


def chain_records(skeleton: Skeleton) -> Iterator[tuple[RecordKind, Place, str]]:
    """Kind, place and record of everything in a ruleset that can be compared between nodes."""
    for place, policy in skeleton.policies.items():
        yield RecordKind.POLICY, place, compact(policy)
    for place, rules in skeleton.built_in.items():
        record = [rule.text if rule.is_hook else [rule.owner, _WORKLOAD.sub("*", rule.text)] for rule in rules]
        yield RecordKind.BUILT_IN, place, compact(_without_repeats(record))
    for place, texts in skeleton.system.items():
        yield RecordKind.SYSTEM, place, compact(list(dict.fromkeys(_NODE_ADDRESS.sub("", text) for text in texts)))
    for place, foreign in skeleton.foreign.items():
        if _WORKLOAD.match(place[1]) is None:
            yield RecordKind.FOREIGN, place, compact(_foreign_record(foreign))


def skeleton_of(key: RecordKey, record: str | None) -> Skeleton:
    """A ruleset with the content of one record. Raises UsageError for a damaged record."""
    try:
        return _skeleton_of(key, None if record is None else json.loads(record))
    except (ValueError, KeyError, IndexError, TypeError):
        raise UsageError(f"the record of {key} in a digest is damaged; write the digest again") from None


def _skeleton_of(key: RecordKey, content: Any) -> Skeleton:
    place = key.group, key.name
    if content is None:
        return Skeleton(True)
    if key.kind is RecordKind.POLICY:
        return Skeleton(True, policies={place: str(content)})
    if key.kind is RecordKind.BUILT_IN:
        return Skeleton(True, built_in={place: tuple(map(_placed, content))})
    if key.kind is RecordKind.SYSTEM:
        return Skeleton(True, system={place: tuple(map(str, content))})
    if key.kind is RecordKind.FOREIGN:
        return Skeleton(True, foreign={place: ForeignChain(str(content[0]), tuple(map(str, content[1])))})
    raise ValueError(key.kind)


def _placed(content: Any) -> PlacedRule:
    if isinstance(content, str):
        return PlacedRule(None, content)
    owner, text = content
    return PlacedRule(str(owner), str(text))


def _foreign_record(chain: ForeignChain) -> list[Any]:
    """Owner and rules. Rules for a workload on this node are left out: other nodes have other workloads."""
    rules = [rule for rule in chain.rules if _WORKLOAD.search(rule) is None]
    if len(rules) > MOST_RULES:
        found = hashlib.sha256("\n".join(rules).encode("utf-8", "surrogateescape")).hexdigest()
        rules = [f"{len(rules):,} rules, sha256 {found}"]
    return [chain.owner, rules]


def _without_repeats(rules: list[Any]) -> list[Any]:
    """The rules without repetitions, such as rules for several workloads that are equal once masked."""
    found: list[Any] = []
    for rule in rules:
        if rule not in found or "*" not in str(rule):
            found.append(rule)
    return found
