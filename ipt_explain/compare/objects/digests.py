"""A node's digest against the API objects, except what depends on the node's own endpoints, which digests lack."""

from __future__ import annotations

import re

from ipt_explain.compare.fleet.records.digest import Digest, FamilyFacts
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
    found: list[Mismatch] = []
    for family in Family:
        facts = digest.families.get(family.value)
        if facts is None or family not in families_asked(objects):
            continue
        views = {
            _key(family, key): service_of(key, record, digest.fabrics)
            for key, record in digest.services.items()
            if key.startswith(f"{family.value} ")
        }
        case = FamilyCase(objects, family, node, views, {}, with_local=False)
        first, last = _range(digest, family, facts)
        zones = zones_of(objects, node) if digest.zone is None else [digest.zone]
        circumstances = [(release, zone) for release in releases_between(objects, node, first, last) for zone in zones]
        complete = facts.complete and {"nat", "filter"} <= set(facts.tables)
        found += case.best(circumstances, source, complete)
    return tuple(found)


def _key(family: Family, key: str) -> ServiceKey:
    _, _, protocol, label = key.split(" ", 3)
    name, _, number = label.rpartition(" ")
    return (family, name, protocol, int(number)) if name and number.isdigit() else (family, label, protocol, 0)


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
