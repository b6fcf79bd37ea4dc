"""Facts about balancing chains that rules of the catalogue ask for, and the words for shares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ipt_explain.analyzers.balancing_chains import BalancingChains, Choice, OddChain, read_balancing_chains
from ipt_explain.analyzers.endpoint_chains import EndpointChains, read_endpoint_chains
from ipt_explain.audit.context import RulesetContext

RESTART = "Restart kube-proxy on this node: it writes the chain anew."
NAMED = 4
"""So many endpoints are named in a message; the others are counted."""
_NOTHING = 1e-12


def endpoint_chains(context: RulesetContext) -> EndpointChains:
    """Where every endpoint chain leads."""
    return context.fact(read_endpoint_chains)


def balancing_chains(context: RulesetContext) -> BalancingChains:
    """The balancing chains, and which of them are odd."""
    return context.derived(_balancing_chains)


def _balancing_chains(context: RulesetContext) -> BalancingChains:
    return read_balancing_chains(context.ruleset, endpoint_chains(context))


def chance_chains(context: RulesetContext) -> Iterator[OddChain]:
    """The odd chains that choose by chance."""
    return (odd for odd in balancing_chains(context).odd if not odd.counting)


def dead(odd: OddChain) -> list[Choice]:
    """The choices that no connection reaches."""
    return [choice for choice in odd.choices if choice.share <= _NOTHING]


def repeated(odd: OddChain) -> list[Choice]:
    """The choices whose endpoint an earlier one has."""
    seen: set[str] = set()
    found = []
    for choice in odd.choices:
        if choice.target in seen or choice.destination in seen:
            found.append(choice)
        seen.update((choice.target, choice.destination))
    return found


def leaks(context: RulesetContext, odd: OddChain) -> bool:
    """Whether connections pass the chain without an endpoint, as far as the text can tell."""
    return odd.leak > _NOTHING and (odd.ending is not None or context.knows_chain(odd.chain))


def percent(share: float) -> str:
    """`33.3 %`; never 0 % for what is something, nor 100 % for what is less than all."""
    if share == 0.0 or share == 1.0:
        return f"{share:.0%}".replace("%", " %")
    digits = next((digits for digits in (0, 1, 2, 3, 4) if abs(round(share * 100, digits) - share * 100) < 0.005), 2)
    text = f"{share * 100:.{digits}f} %"
    if text.startswith("100") or not text.strip("0. %"):
        return f"more than {99.99} %" if share > 0.5 else "less than 0.01 %"
    return text


def shares(choices: Iterable[Choice], extra: float = 0.0) -> str:
    """`10.0.0.1:80 50 %, 10.0.0.2:80 25 % and 3 others`, the largest first; `extra` is what no endpoint gets."""
    by_endpoint: dict[str, float] = {}
    for choice in choices:
        by_endpoint[choice.destination] = by_endpoint.get(choice.destination, 0.0) + choice.share
    ordered = sorted(by_endpoint.items(), key=lambda each: -each[1])
    parts = [f"{endpoint} {percent(share)}" for endpoint, share in ordered[:NAMED]]
    if len(ordered) > NAMED:
        parts.append(f"{len(ordered) - NAMED} others {percent(ordered[NAMED][1])} or less")
    if extra > _NOTHING:
        parts.append(f"none {percent(extra)}")
    return ", ".join(parts)


def named(words: Iterable[str]) -> str:
    """`a, b, c and 5 others`."""
    each = list(dict.fromkeys(words))
    more = f" and {len(each) - NAMED} others" if len(each) > NAMED else ""
    return ", ".join(each[:NAMED]) + more


def endpoints(count: int) -> str:
    """`1 endpoint`, `3 endpoints`."""
    return "1 endpoint" if count == 1 else f"{count} endpoints"
