"""A node's digest against the API objects, except what depends on the node's own endpoints, which digests lack."""

from __future__ import annotations

import re

from ipt_explain.compare.fleet.records.digest import Digest, FamilyFacts
from ipt_explain.compare.fleet.records.keys import RecordKey
from ipt_explain.compare.fleet.records.service_records import service_of
from ipt_explain.compare.objects.judge import FamilyCase, families_asked, releases_between, zones_of
from ipt_explain.compare.objects.mismatches import Mismatch
from ipt_explain.compare.objects.model import ApiObjects
from ipt_explain.compare.objects.proxy import NEWEST
from ipt_explain.compare.services.views import ServiceKey
from ipt_explain.model import Family

_MINOR = re.compile(r"1\.(\d+)")
_FIREWALL_SINCE = 25


def judge_digest(objects: ApiObjects, digest: Digest, source: str) -> tuple[Mismatch, ...]:
    """Every mismatch of a digest."""
    node = digest.node if digest.node in objects.nodes else None
    services = [(RecordKey.of(text), record) for text, record in digest.services.items()]
    found: list[Mismatch] = []
    for family in Family:
        facts = digest.families.get(family.value)
        if facts is None or family not in families_asked(objects):
            continue
        views = {
            _service_key(key): service_of(key, record, digest.fabrics)
            for key, record in services
            if key.family is family
        }
        case = FamilyCase(objects, family, node, views, {}, with_local=False)
        first, last = _range(digest, family, facts)
        zones = zones_of(objects, node) if digest.zone is None else [digest.zone]
        circumstances = [(release, zone) for release in releases_between(objects, node, first, last) for zone in zones]
        complete = facts.complete and {"nat", "filter"} <= set(facts.tables)
        found += case.best(circumstances, source, complete)
    return tuple(found)


def _service_key(key: RecordKey) -> ServiceKey:
    name, _, number = key.name.rpartition(" ")
    found = (name, int(number)) if name and number.isdigit() else (key.name, 0)
    return key.family, found[0], key.group, found[1]


def _range(digest: Digest, family: Family, facts: FamilyFacts) -> tuple[int, int]:
    """The range of releases from the digest's words: `1.25 or later`, `1.10 to 1.16`, `1.22`."""
    minors = [int(each) for each in _MINOR.findall(facts.release or "")]
    if not minors:
        return 1, NEWEST
    first, last = minors[0], minors[-1]
    if "later" in (facts.release or ""):
        last = NEWEST
    elif "earlier" in (facts.release or ""):
        first = 1
    has_firewall = any(
        "KUBE-PROXY-FIREWALL" in record
        for key, record in digest.chains.items()
        if key.startswith(family.value) and " chain filter " in key
    )
    if first >= _FIREWALL_SINCE - 1 and not has_firewall:
        last = min(last, _FIREWALL_SINCE - 1)
    return first, last
