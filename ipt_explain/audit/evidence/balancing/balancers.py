"""Facts about balancing chains that several rules share, and the words for shares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.balancing.balancing_chains import balancing_chains
from ipt_explain.audit.evidence.balancing.endpoint_chains import endpoint_chains
from ipt_explain.audit.evidence.balancing.odd_chains import OddChain, ShareRule
from ipt_explain.model import Chain
from ipt_explain.netfilter.probability import NOTHING
from ipt_explain.services.ports import Balancer
from ipt_explain.words import within
from ipt_explain.words.percents import percent

NAMED = 4
"""How many endpoints a message names; it counts the rest."""


def chance_chains(context: RulesetContext) -> Iterator[OddChain]:
    """The odd chains that choose by chance, unless the order of their rules is unknown: then their shares are, too."""
    return (odd for odd in balancing_chains(context).odd if not odd.counting and odd.chain.ordered)


def dead(odd: OddChain) -> list[ShareRule]:
    """The choices that no connection reaches."""
    return [choice for choice in odd.choices if choice.share <= NOTHING]


def repeated(odd: OddChain) -> list[ShareRule]:
    """The choices that repeat an earlier choice's endpoint."""
    seen: set[str] = set()
    found = []
    for choice in odd.choices:
        if choice.target in seen or choice.destination in seen:
            found.append(choice)
        seen.update((choice.target, choice.destination))
    return found


def leaks(context: RulesetContext, odd: OddChain) -> bool:
    """Whether connections pass the chain without an endpoint, as far as the text shows."""
    return odd.leak > NOTHING and (odd.ending is not None or context.knows_chain(odd.chain))


def without_dnat(context: RulesetContext) -> Iterator[tuple[Balancer, list[Chain]]]:
    """Balancers, each with its endpoint chains that translate nothing; a chain is reported once."""
    broken = {chain.name: chain for chain in endpoint_chains(context).without if context.knows_chain(chain)}
    if broken:
        balancers = {balancer.chain: balancer for service in context.services for balancer in service.balancers}
        for name, targets in balancing_chains(context).targets.items():
            found = [broken.pop(target) for target in targets if target in broken] if name in balancers else []
            if found:
                yield balancers[name], found


def shares_text(choices: Iterable[ShareRule], extra: float) -> str:
    """`10.0.0.1:80 50 %, 10.0.0.2:80 25 %, 3 more with 5 % or less`, the largest first; `extra` describes the share of
    no endpoint."""
    by_endpoint: dict[str, float] = {}
    for choice in choices:
        by_endpoint[choice.destination] = by_endpoint.get(choice.destination, 0.0) + choice.share
    ordered = sorted(by_endpoint.items(), key=lambda each: -each[1])
    parts = [f"{endpoint} {percent(share)}" for endpoint, share in ordered[:NAMED]]
    if len(ordered) > NAMED:
        most = ordered[NAMED][1]
        parts.append(f"{len(ordered) - NAMED} more with {percent(most)}{' or less' if most else ''}")
    if extra > NOTHING:
        parts.append(f"none {percent(extra)}")
    return ", ".join(parts)


def first_few(words: Iterable[str]) -> str:
    """`a, b, c and 5 more`, each once."""
    return within(dict.fromkeys(words), NAMED)


def destinations(context: RulesetContext, chains: tuple[str, ...]) -> str:
    """The endpoints that some chains translate to, in words."""
    endpoints = endpoint_chains(context)
    return first_few(endpoints.destination(chain) for chain in chains)
