"""A node's digest: the behaviour that all nodes should share, small enough to collect from thousands of nodes.

It has one record per service port, per chain that serves all Services, and per chain of another component. What depends
on the node is left out: its addresses, its pod network, its own endpoints, chains for single workloads. Two digests
differ in a record if compare finds a difference between their dumps; digests with equal hashes do not differ.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ipt_explain.compare.dumps import NodeView
from ipt_explain.compare.fleet.records.canonical import compact
from ipt_explain.compare.fleet.records.chain_records import chain_records
from ipt_explain.compare.fleet.records.fabrics import Fabrics
from ipt_explain.compare.fleet.records.keys import RecordKey, RecordKind
from ipt_explain.compare.fleet.records.service_records import service_record
from ipt_explain.compare.services.fabric import Fabric
from ipt_explain.errors import UsageError
from ipt_explain.inputs.json_values import json_value
from ipt_explain.model import Family
from ipt_explain.records import Record, field

SCHEMA = "ipt-explain/digest/2"
_AGAIN = "write it again with `ipt-explain compare --digest`"


class FamilyFacts(Record):
    """Facts about a whole family in a digest.

    `complete`: what it lacks does not exist. `release` is the range of kube-proxy's versions ("1.25 or later"), None
    if unknown; `mode` and `backends` are words as in JSON.
    """

    complete: bool
    mode: str | None = None
    release: str | None = None
    backends: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The facts as JSON in the digest."""
        return {
            "complete": self.complete, "mode": self.mode, "release": self.release, "backends": list(self.backends),
            "tables": list(self.tables),
        }  # fmt: skip


class Digest(Record):
    """A node's records by key, each as JSON text: `ipv4 tcp demo/web:http` for a service port, `ipv4 chain nat
    PREROUTING` for a chain; if a family has rules in both backends, the backend follows it (`ipv4/nft`).

    `fabrics` are rules other than balancing, to which service ports refer by hash. `zone` comes from the cluster's
    objects; `taken` is when the rules were read, by the node's clock (`2026-11-25T16:42:43`).
    """

    node: str
    families: Mapping[str, FamilyFacts]
    services: Mapping[str, str]
    chains: Mapping[str, str]
    fabrics: Mapping[str, Fabric] = field(default_factory=dict)
    zone: str | None = None
    taken: str | None = None

    def hashes(self) -> dict[str, str]:
        """A hash of each part and one over all. Nodes that do the same have equal hashes, whatever their names, zones,
        times and backends."""
        facts = {family: [each.complete, each.mode, each.release] for family, each in self.families.items()}
        parts = {"chains": dict(self.chains), "families": facts, "services": dict(self.services)}
        found = {part: _sha256(compact(content)) for part, content in parts.items()}
        return {"all": _sha256(compact(found)), **found}

    def to_json(self) -> str:
        """The digest as a canonical file: equal nodes have equal files except for name, time and zone."""
        document = {
            "schema": SCHEMA,
            "node": self.node,
            "taken": self.taken,
            "zone": self.zone,
            "hashes": self.hashes(),
            "families": {family: facts.to_json() for family, facts in sorted(self.families.items())},
            "chains": {key: json.loads(record) for key, record in sorted(self.chains.items())},
            "fabrics": {key: list(fabric) for key, fabric in sorted(self.fabrics.items())},
            "services": _nested(self.services),
        }
        return json.dumps(document, separators=(",", ":"), ensure_ascii=True) + "\n"


def digest_of(view: NodeView, zone: str | None = None, taken: str | None = None) -> Digest:
    """The digest of a node; `zone` and `taken`, the time of its rules, are None if unknown."""
    fabrics = Fabrics()
    services = {}
    for (family, label, protocol, number), service in view.services.items():
        suffix = f" {number}" if number else ""
        key = RecordKey(family.value, RecordKind.PORT, protocol, f"{label}{suffix}")
        services[str(key)] = service_record(service, fabrics)
    chains = {}
    for (family, backend), skeleton in view.skeletons.items():
        if skeleton.complete:
            where = family.value if backend is None else f"{family.value}/{backend.value}"
            for kind, place, record in chain_records(skeleton):
                chains[str(RecordKey(where, kind, *place))] = record
    families = {
        family.value: _family_facts(view, family) for family in sorted(view.families, key=lambda each: each.value)
    }
    return Digest(view.name, families, services, chains, fabrics.forms, zone, taken)


def _family_facts(view: NodeView, family: Family) -> FamilyFacts:
    facts = [each for each in view.facts if each.family is family]
    return FamilyFacts(
        view.complete(family),
        next((each.mode.value for each in facts if each.mode is not None), None),
        next((each.version for each in facts if each.version is not None), None),
        tuple(sorted({each.backend.value for each in facts if each.backend is not None})),
        tuple(sorted({table for each in facts for table in each.tables})),
    )


def read_digest(text: str, source: str) -> Digest | None:
    """The digest in a text, None if it is not a digest. Raises UsageError for a damaged one, or another schema."""
    if not text.lstrip().startswith("{") or '"ipt-explain/digest/' not in text[:200]:
        return None
    try:
        document: Any = json_value(text, source)
    except UsageError as error:
        raise UsageError(f"{error}; this digest is damaged: {_AGAIN}") from None
    if document.get("schema") != SCHEMA:
        raise UsageError(f"{source}: this digest is of schema {document.get('schema')!r}, not {SCHEMA!r}; {_AGAIN}")
    try:
        return _read(document)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise UsageError(f"{source}: this digest does not fit its schema ({what}); {_AGAIN}") from None


def _read(document: dict[str, Any]) -> Digest:
    families = {Family(family).value: _facts_read(facts) for family, facts in _mapping(document, "families").items()}
    services: dict[str, str] = {}
    for group, members in _mapping(document, "services").items():
        for label in _mapping(document["services"], group):
            services[f"{group} {label}"] = _record(members[label], (str, list))
    chains = {str(key): _record(record, (str, list)) for key, record in _mapping(document, "chains").items()}
    for key in (*services, *chains):
        RecordKey.of(key)
    fabrics = {str(key): tuple(map(str, lines)) for key, lines in _mapping(document, "fabrics").items()}
    zone, taken = _optional(document["zone"]), _optional(document.get("taken"))
    return Digest(_text(document["node"]), families, services, chains, fabrics, zone, taken)


def _facts_read(facts: Any) -> FamilyFacts:
    if not isinstance(facts["complete"], bool):
        raise ValueError("`complete` is not true or false")
    return FamilyFacts(
        facts["complete"],
        _optional(facts["mode"]),
        _optional(facts["release"]),
        tuple(map(_text, facts["backends"])),
        tuple(map(_text, facts["tables"])),
    )


def _mapping(document: dict[str, Any], key: str) -> dict[str, Any]:
    value = document[key]
    if not isinstance(value, dict):
        raise ValueError(f"`{key}` is not an object")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a name is not text")
    return value


def _optional(value: Any) -> str | None:
    return None if value is None else _text(value)


def _record(value: Any, kinds: tuple[type, ...]) -> str:
    if not isinstance(value, kinds):
        raise ValueError("a record is neither text nor a list")
    return compact(value)


def _nested(services: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The records of services by family and protocol."""
    groups: dict[str, dict[str, Any]] = {}
    for text, record in sorted(services.items()):
        key = RecordKey.of(text)
        groups.setdefault(f"{key.place} {key.kind.value} {key.group}", {})[key.name] = json.loads(record)
    return groups


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
