"""Facts about services and endpoints that rules of the catalogue ask for: thin ways to their analyzers."""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.balancing.balancers import balancing_chains, endpoint_chains
from ipt_explain.audit.evidence.names.proof import NameEvidence, read_name_evidence
from ipt_explain.audit.evidence.services.front_rules import FrontRules, read_front_rules
from ipt_explain.audit.evidence.services.overlaps import TwoMeanings, addresses_of_endpoints
from ipt_explain.audit.fact import fact


@fact
def front_rules(context: RulesetContext) -> FrontRules:
    """The rules that lead to services."""
    return read_front_rules(context.ruleset)


@fact
def name_evidence(context: RulesetContext) -> NameEvidence:
    """Which chain is proved to be whose, and what disagrees."""
    return read_name_evidence(
        context.ruleset, front_rules(context), balancing_chains(context), endpoint_chains(context)
    )


def label(name: str) -> str:
    """A service port's name as people say it: without the colon of unnamed ports up to 1.19."""
    return name.removesuffix(":")


@fact
def two_meanings(context: RulesetContext) -> tuple[TwoMeanings, ...]:
    """Addresses of Services that endpoints have."""
    return tuple(addresses_of_endpoints(front_rules(context), balancing_chains(context), endpoint_chains(context)))


def service_names(context: RulesetContext) -> Mapping[str, str]:
    """`namespace/name` of each Service by the hash of its ports' chains, where proved."""
    return {key: name.spelled.partition(":")[0] for key, name in name_evidence(context).proved.items()}
