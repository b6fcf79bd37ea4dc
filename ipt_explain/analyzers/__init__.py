"""What rules mean to Kubernetes: facts, without opinion. All knowledge about kube-proxy lives here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ipt_explain.analyzers.fates import with_fates
from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.iptables.services import ServiceReader
from ipt_explain.analyzers.names import ServicePortName, Wanted
from ipt_explain.analyzers.rulesets import ruleset_facts
from ipt_explain.analyzers.versions import recognise_version
from ipt_explain.collector import collector_paused, free_kept, keep
from ipt_explain.model import Backend, Dump, Family, Ruleset
from ipt_explain.records import replace
from ipt_explain.services.evidence import Evidence
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.ports import RulesetFacts, ServicePort
from ipt_explain.words import and_more

__all__ = ["Explanation", "ServicePortName", "explain", "explain_all"]


def explain(dump: Dump, wanted: Wanted | None = None, followed: bool = True) -> Explanation:
    """All Services of a dump: frontends, endpoints, probabilities, affinity, masquerading.

    With `wanted`, only service ports that it accepts are read. It gets a service port's name (None if the text has
    none) and its addresses (None for a node port). Unless packets are `followed`, Services have no fates.
    """
    free_kept()
    plans = Plans()
    rulesets: list[RulesetFacts] = []
    services: list[ServicePort] = []
    warnings = list(dump.warnings)
    with collector_paused():
        read: list[tuple[Family, list[ServicePort]]] = []
        for ruleset in dump.rulesets:
            version = recognise_version(ruleset, plans)
            rulesets.append(ruleset_facts(ruleset, version))
            single_policy = version.first >= 24 or version.last <= 20
            reader = ServiceReader(ruleset, plans, single_policy)
            read.append((ruleset.family, reader.read(wanted)))
            keep(reader)
            if reader.unread:
                warnings.append(_unread(ruleset.source, reader.unread))
        completed = [_completed(ruleset) for ruleset in dump.rulesets] if followed else []
        whole = replace(dump, rulesets=tuple(ruleset for ruleset, _ in completed))
        for facts, ports in _of_other_modes(dump, wanted):
            rulesets.append(facts)
            read.append((facts.family, ports))
        for family, ports in read:
            services += with_fates(whole, family, ports, _numbers(rulesets, family)) if followed else ports
    keep(plans, read, whole)
    notes = dict.fromkeys(note for _, notes in completed for note in notes)
    return Explanation(tuple(rulesets), tuple(services), tuple(warnings), tuple(notes))


def explain_all(dumps: Sequence[Dump]) -> Explanation:
    """All Services of several dumps; those of one node are read together."""
    if len(dumps) > 1:
        from ipt_explain.model.node.joining import as_nodes

        dumps = as_nodes(dumps)
    return Explanation.joined([explain(dump) for dump in dumps])


def _completed(ruleset: Ruleset) -> tuple[Ruleset, tuple[str, ...]]:
    """A ruleset with the chains that its text is assumed to leave out, and the assumptions; a whole one unchanged."""
    if not ruleset.fragment and all(table.whole for table in ruleset.tables.values()):
        return ruleset, ()
    from ipt_explain.analyzers.iptables.supposed import with_supposed_chains

    return with_supposed_chains(ruleset)


def _unread(source: str, rules: Sequence[Evidence]) -> str:
    first, *others = rules
    return (
        f"{source}:{first.line}: this rule of {first.chain.name} leads to {first.target}, but names no single address "
        f"and port: no frontend is shown for it{and_more(len(others), 'such rule')}"
    )


def _numbers(rulesets: Sequence[RulesetFacts], family: Family) -> Mapping[Backend | None, int]:
    """The number of each backend's ruleset of this family among all rulesets."""
    return {facts.backend: number for number, facts in enumerate(rulesets) if facts.family is family}


def _of_other_modes(dump: Dump, wanted: Wanted | None) -> Iterator[tuple[RulesetFacts, list[ServicePort]]]:
    """The Services of nftables mode and of IPVS mode, family by family."""
    if dump.nft is not None:
        from ipt_explain.analyzers.nftables import read_nftables

        yield from read_nftables(dump.nft, wanted)
    if dump.node:
        from ipt_explain.analyzers.ipvs.services import read_ipvs

        yield from read_ipvs(dump)
