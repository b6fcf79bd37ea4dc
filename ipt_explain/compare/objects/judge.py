"""A dump against the API objects: every mismatch, by the behaviour of the best-fitting release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ipt_explain.analyzers import explain
from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import PROXY_FIREWALL
from ipt_explain.analyzers.rulesets import is_before_nftables
from ipt_explain.analyzers.versions import recognise_version
from ipt_explain.compare.completeness import shows_all
from ipt_explain.compare.objects.documents import HOW
from ipt_explain.compare.objects.mismatches import Mismatch, compare_service, missing_service, stale_service
from ipt_explain.compare.objects.model import ApiObjects
from ipt_explain.compare.objects.nodes import node_of
from ipt_explain.compare.objects.proxy import BREAKS, IP_MODE_SINCE, NEWEST, Intent, Release, intents, without_local
from ipt_explain.compare.objects.servers import judge_servers
from ipt_explain.compare.services.views import ServiceKey, ServiceView, service_views
from ipt_explain.errors import UsageError
from ipt_explain.model import Backend, Dump, Family, Form, Ruleset
from ipt_explain.netfilter.header import family_of
from ipt_explain.records import Record
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.ports import ProxyMode, ServicePort
from ipt_explain.words import family_name

_FIRST_NFTABLES = 30
_FIRST_SERVERS = 24


class DumpJudgement(Record):
    """The mismatches of one dump. `node` is where it was assumed to be from; `notes` say what could not be judged."""

    node: str | None
    mismatches: tuple[Mismatch, ...]
    notes: tuple[str, ...]


def judge(objects: ApiObjects, dump: Dump, node: str | None = None) -> DumpJudgement:
    """Every mismatch of a dump. Raises UsageError if dump and objects have nothing in common to compare."""
    explanation = explain(dump)
    services = explanation.services
    _check_kinds(objects, services)
    _check_mode(objects, dump, [facts.mode for facts in explanation.rulesets])
    name = node_of(objects, dump, services, node)
    notes = list(objects.notes)
    if any(facts.backend is Backend.IPVS for facts in explanation.rulesets):
        return _servers_judged(objects, explanation, dump, name, notes)
    nftables = {facts.family: facts for facts in explanation.rulesets if facts.mode is ProxyMode.NFTABLES}
    families = dict.fromkeys((*(ruleset.family for ruleset in dump.rulesets), *nftables))
    if name is None:
        notes += _about_local_endpoints(objects, dump, set(families))
    views = service_views(explanation)
    facts = dict(zip(views, services)) if dump.nft is None or dump.nft.has_lines else {}
    mismatches: list[Mismatch] = []
    for family in families:
        rulesets = [ruleset for ruleset in dump.rulesets if ruleset.family is family]
        if len(rulesets) > 1:
            notes.append(
                f"{dump.source}: {family_name(family.value)} rules are in both backends; services of both are compared"
            )
        case = FamilyCase(objects, family, name, {key: view for key, view in views.items() if key[0] is family}, facts)
        if family in nftables:
            (first, last), complete = nftables[family].releases, not nftables[family].form.fragment
            releases = releases_between(objects, name, max(first, _FIRST_NFTABLES), last)
        else:
            releases, complete = _releases(objects, name, rulesets), _complete(rulesets)
        circumstances = [(release, zone) for release in releases for zone in zones_of(objects, name)]
        mismatches += case.best(circumstances, dump.source, complete)
    return DumpJudgement(name, tuple(mismatches), tuple(notes))


def _servers_judged(
    objects: ApiObjects, explanation: Explanation, dump: Dump, node: str | None, notes: list[str]
) -> DumpJudgement:
    """A node in IPVS mode: its iptables rules hold no Services."""
    families = {facts.family for facts in explanation.rulesets if facts.backend is Backend.IPVS}
    if node is None:
        notes += _about_local_endpoints(objects, dump, families)
    circumstances = [
        (release, zone)
        for release in releases_between(objects, node, _FIRST_SERVERS, NEWEST)
        for zone in zones_of(objects, node)
    ]
    found = [
        each for family in Family if family in families
        for each in judge_servers(objects, explanation, family, circumstances, node)
    ]  # fmt: skip
    return DumpJudgement(node, tuple(found), tuple(notes))


def _about_local_endpoints(objects: ApiObjects, dump: Dump, families: set[Family]) -> Iterator[str]:
    """What cannot be compared if the dump's node is unknown."""
    if _has_local_policies(objects, families):
        yield f"{dump.source}: it does not say which node it is from: local endpoints are not compared (use --node)"


class FamilyCase:
    """One family of a dump."""

    def __init__(
        self,
        objects: ApiObjects,
        family: Family,
        node: str | None,
        views: dict[ServiceKey, ServiceView],
        facts: Mapping[ServiceKey, ServicePort],
        with_local: bool = True,
    ) -> None:
        self._objects = objects
        self._family = family
        self._node = node
        self._views = views
        self._facts = facts
        self._with_local = with_local

    def best(self, circumstances: Sequence[tuple[Release, str | None]], source: str, complete: bool) -> list[Mismatch]:
        """The mismatches with the release and zone that have the fewest, or the first of several."""
        found = (list(self._with(release, zone, source, complete)) for release, zone in circumstances)
        return min(found, key=len)

    def _with(self, release: Release, zone: str | None, source: str, complete: bool) -> Iterator[Mismatch]:
        wanted = list(intents(self._objects, self._family, self._node, zone, release))
        if not self._with_local:
            wanted = [without_local(intent) for intent in wanted]
        pairs, rest = self._pairs(wanted)
        for intent, key in pairs:
            if key is not None:
                yield from compare_service(intent, self._views[key], self._facts.get(key), source, complete)
            elif complete:
                yield missing_service(intent, source)
        by_name = {(intent.label, intent.port.protocol): intent for intent in wanted}
        for key in rest:
            view = self._views[key]
            again = by_name.get((view.label, view.protocol))
            if again is None:
                yield stale_service(view, self._facts.get(key), source)
            else:
                # The other backend's rules for the same service port.
                yield from compare_service(again, view, self._facts.get(key), source, complete)

    def _pairs(self, wanted: list[Intent]) -> tuple[list[tuple[Intent, ServiceKey | None]], list[ServiceKey]]:
        """Intents with their service port, found by name and protocol, else by address, else by common properties."""
        left = dict.fromkeys(self._views)
        chosen: dict[int, ServiceKey] = {}
        exact: dict[tuple[str, str], ServiceKey] = {}
        by_place: dict[tuple[str | None, int | None, str], ServiceKey] = {}
        by_name: dict[str, ServiceKey] = {}
        for key, view in self._views.items():
            exact.setdefault((view.label, view.protocol), key)
            by_place.setdefault((view.cluster_ip, view.port, view.protocol), key)
            by_name.setdefault(view.label, key)

        def choose(index: int, found: ServiceKey | None) -> bool:
            if found is None or found not in left:
                return False
            chosen[index] = found
            del left[found]
            return True

        for index, intent in enumerate(wanted):
            choose(index, exact.get((intent.label, intent.port.protocol)))
        for index, intent in enumerate(wanted):
            if index not in chosen:
                there = by_place.get((intent.cluster_ip, intent.port.port, intent.port.protocol))
                if there is None or not self._may_be(intent, self._views[there]) or not choose(index, there):
                    choose(index, by_name.get(intent.label))
        return [(intent, chosen.get(index)) for index, intent in enumerate(wanted)], list(left)

    @staticmethod
    def _may_be(intent: Intent, view: ServiceView) -> bool:
        """Whether the service port at the intent's address is of the same Service: nameless, or with another port
        name."""
        return not view.named or view.label.partition(":")[0] == intent.label.partition(":")[0]


def _releases(objects: ApiObjects, node: str | None, rulesets: Sequence[Ruleset]) -> list[Release]:
    """The releases that may have written the rules, likeliest first; only the node's own, if it is one of them."""
    first, last = 1, NEWEST
    plans = Plans()
    for ruleset in rulesets:
        known = recognise_version(ruleset, plans)
        first, last = max(first, known.first), min(last, known.last)
        whole = "filter" in ruleset.tables and ruleset.form is Form.SAVE
        if whole and known.first >= 24 and ruleset.chain("filter", PROXY_FIREWALL) is None:
            last = min(last, 24)
    return releases_between(objects, node, first, last)


def releases_between(objects: ApiObjects, node: str | None, first: int, last: int) -> list[Release]:
    """The releases 1.`first` to 1.`last` that differ, likeliest first; only the node's own, if it is one of them."""
    if first > last:
        first, last = 1, NEWEST
    if last >= IP_MODE_SINCE and any(each.proxied for service in objects.services for each in service.load_balancers):
        # Older API servers drop the field.
        first = max(first, IP_MODE_SINCE)
    minor = objects.nodes[node].minor if node is not None and node in objects.nodes else None
    if minor is not None and first <= minor <= last:
        return [Release(minor)]
    ends = (*BREAKS[1:], NEWEST + 1)
    found = [start for start, end in zip(BREAKS, ends) if start <= last and end > first] or [BREAKS[-1]]
    # If several fit equally well, prefer later releases up to 1.30, where hints had to be requested.
    found.sort(key=lambda start: (start > 30, -start))
    return [Release(start) for start in found]


def _has_local_policies(objects: ApiObjects, families: set[Family]) -> bool:
    return any(
        (service.internal_local or service.external_local)
        and any(family_of(address) in families for address in service.cluster_ips)
        for service in objects.services
    )


def zones_of(objects: ApiObjects, node: str | None) -> list[str | None]:
    """The node's zone; if unknown, every zone in hints."""
    if node is not None:
        return [objects.nodes[node].zone if node in objects.nodes else None]
    hinted = {zone for endpoints in objects.endpoints.values() for each in endpoints for zone in each.zones}
    return [*sorted(hinted), None]


def _complete(rulesets: Sequence[Ruleset]) -> bool:
    return all(shows_all(ruleset) and {"nat", "filter"} <= ruleset.tables.keys() for ruleset in rulesets)


def _check_kinds(objects: ApiObjects, services: Sequence[ServicePort]) -> None:
    if not services:
        return
    kinds = ", ".join(sorted(filter(None, objects.kinds))) or "none"
    if "Service" not in objects.kinds:
        raise UsageError(f"{objects.source}: there are no Services in it (kinds found: {kinds}); write it with `{HOW}`")
    if not objects.kinds & {"EndpointSlice", "Endpoints"} and any(service.endpoints for service in services):
        lacking = "neither EndpointSlices nor Endpoints"
        raise UsageError(f"{objects.source}: there are {lacking} in it (kinds found: {kinds}); write it with `{HOW}`")


def _check_mode(objects: ApiObjects, dump: Dump, modes: Sequence[ProxyMode | None]) -> None:
    served = families_asked(objects) & {ruleset.family for ruleset in dump.rulesets}
    whole = not any(ruleset.fragment for ruleset in dump.rulesets)
    if served and whole and not any(modes):
        in_nftables = "" if all(map(is_before_nftables, dump.rulesets)) else "run in nftables mode, "
        raise UsageError(
            f"{dump.source}: there are no rules of kube-proxy in it; it may {in_nftables}be replaced, or have its"
            " rules in iptables' other backend (iptables-legacy-save, iptables-nft-save)"
        )
    in_ipvs = modes and all(mode is ProxyMode.IPVS for mode in modes)
    if in_ipvs and dump.node.virtual_servers is None:
        raise UsageError(f"{dump.source}: kube-proxy runs in IPVS mode there: give what `ipvsadm-save -n` prints, too")


def families_asked(objects: ApiObjects) -> set[Family]:
    """The families of the Services' addresses."""
    return {family_of(address) for service in objects.services for address in service.cluster_ips}
