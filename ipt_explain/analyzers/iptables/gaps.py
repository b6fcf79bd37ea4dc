"""Which balancing chains lack rules, as their own rules show.

kube-proxy gives the first of n endpoints a chance of 1/n, the next 1/(n-1), …, the last but one 1/2, and the last the
rest (pkg/proxy/iptables/proxier.go). So some rules of a chain show whether others are missing between them, and an
endpoint chain that nothing leads to shows that its Service's chain lacks a rule. The last rules of a chain (1/2, the
rest) are a complete run by themselves; only other chains that lack rules, or signs that grep looked for one endpoint,
show that others came before them.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import (
    BALANCING_ROLES,
    MARK_MASQ,
    PROTOCOLS,
    ChainRole,
    chain_hash,
    read_comment,
    role_of,
)
from ipt_explain.model import Chain, Extent, Layout, Ruleset, Table
from ipt_explain.records import Record, replace

# kube-proxy up to 1.16 wrote five digits.
_ROUNDING = 6e-6


class _Taker(Record):
    """A rule that takes a share: its number, and the places of its chance and its target in `Chain.values`."""

    number: int
    chance: int | None
    negated: bool
    target: int | None


class _ShareLayout(Record):
    """The rules of a layout that take shares, and the places of the chains for returning clients."""

    takers: tuple[_Taker, ...]
    returning: tuple[int, ...]


def chains_with_gaps(nat: Table | None, plans: Plans) -> dict[str, int]:
    """The balancing chains that lack some of the rules that take shares, by name, and how many rules precede the first
    unknown share."""
    if nat is None or nat.whole:
        return {}
    forms: dict[Layout, _ShareLayout] = {}
    led = {chain.target_of(number) for chain in nat.chains.values() for number in range(len(chain.layout))}
    orphans = _orphans(nat, plans, led)
    found: dict[str, int] = {}
    some: list[tuple[Chain, list[_Taker]]] = []
    for name, chain in nat.chains.items():
        role = role_of(name)
        if chain.extent is Extent.END and role not in (None, ChainRole.ENDPOINT):
            found[name] = 0
        if chain.extent in (Extent.WHOLE, Extent.START, Extent.END) or role not in BALANCING_ROLES:
            continue
        form = forms.get(chain.layout)
        if form is None:
            form = forms[chain.layout] = _form(chain.layout, plans)
        takers = [each for each in form.takers if each.target is None or chain.at(each.target) != MARK_MASQ]
        if not takers:
            continue
        if not _whole(chain, takers, form, orphans) or (name not in led and _names_one(chain)):
            found[name] = takers[0].number
        if chain.extent is Extent.SOME:
            some.append((chain, takers))
    found.update((chain.name, takers[0].number) for chain, takers in _beside_gaps(nat, some, found))
    return found


def _names_one(chain: Chain) -> bool:
    """Whether all rules of a chain lead to the same endpoint: grep may have looked for that."""
    return len({chain.target_of(number) for number in range(len(chain.layout))}) == 1


def _beside_gaps(
    nat: Table, some: Sequence[tuple[Chain, list[_Taker]]], gaps: Collection[str]
) -> Iterator[tuple[Chain, list[_Taker]]]:
    """Chains in an unbroken stretch of lines with a chain that lacks rules: any of them may lack its first rules. Lines
    missing at either end of a stretch say nothing about those between.
    """
    if not any(chain.name in gaps for chain, _ in some):
        return
    every = (chain for chain in nat.chains.values() if chain.extent is Extent.SOME)
    lines = sorted(chain.line_of(number) for chain in every for number in range(len(chain.layout)))
    begins = [lines[0], *(line for above, line in pairwise(lines) if line > above + 1)]
    ends = {above for above, line in pairwise(lines) if line > above + 1} | {lines[-1], *begins}
    output = {chain.name: bisect(begins, chain.line_of(takers[0].number)) for chain, takers in some}
    thinned = {
        output[chain.name]
        for chain, takers in some
        if chain.name in gaps and _is_thinned(chain, takers) and ends.isdisjoint(_lines(chain))
    }
    yield from (each for each in some if output[each[0].name] in thinned)


def _lines(chain: Chain) -> Iterator[int]:
    return map(chain.line_of, range(len(chain.layout)))


def _is_thinned(chain: Chain, takers: Sequence[_Taker]) -> bool:
    """Whether these are only some of the rules that kube-proxy would write: chances of 1/n, growing, and the rest."""
    most = math.inf
    for taker in takers:
        remaining = 1 if taker.chance is None else _remaining(chain.at(taker.chance))
        if remaining is None or taker.negated or remaining >= most:
            return False
        most = remaining
    return True


def _remaining(chance: str) -> int | None:
    """The number of endpoints among which a rule chooses; None for a chance that is not 1/n."""
    try:
        share = float(chance)
        remaining = round(1.0 / share)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return remaining if abs(share - 1.0 / remaining) <= _ROUNDING else None


def without_gaps(ruleset: Ruleset) -> Ruleset:
    """A ruleset whose balancing chains end before the first unknown share."""
    nat = ruleset.tables.get("nat")
    gaps = chains_with_gaps(nat, Plans())
    if nat is None or not gaps:
        return ruleset
    chains = {name: _start(chain, gaps[name]) if name in gaps else chain for name, chain in nat.chains.items()}
    return replace(ruleset, tables={**ruleset.tables, "nat": replace(nat, chains=chains)})


def _start(chain: Chain, count: int) -> Chain:
    rules = chain.rules[:count]
    return Chain.of(chain.name, rules, chain.policy, chain.line, chain.counters, Extent.START, chain.ordered)


def _whole(chain: Chain, takers: list[_Taker], form: _ShareLayout, orphans: frozenset[str | None]) -> bool:
    """Whether the rules shown may be all of them."""
    if chain.extent is Extent.HOLED or None in orphans or chain.name in orphans:
        return False
    led = {chain.at(each.target) for each in takers if each.target is not None}
    if not led.issuperset(chain.at(place) for place in form.returning):
        return False
    *chosen, last = takers
    if last.chance is not None:
        return False
    return all(_is_one_of(remaining, each, chain) for remaining, each in zip(range(len(takers), 1, -1), chosen))


def _is_one_of(remaining: int, taker: _Taker, chain: Chain) -> bool:
    if taker.chance is None or taker.negated:
        return False
    try:
        return abs(float(chain.at(taker.chance)) - 1.0 / remaining) <= _ROUNDING
    except ValueError:
        return False


def _form(layout: Layout, plans: Plans) -> _ShareLayout:
    takers: list[_Taker] = []
    returning: list[int] = []
    for number, (shape, start) in enumerate(zip(layout.shapes, layout.offsets)):
        plan = plans[shape]
        target = layout.target_place(number)
        if plan.rcheck and target is not None:
            returning.append(target)
        elif plan.by_chance and (target is not None or plan.target is not None):
            chance = plan.probability
            place = None if chance is None else start + chance.slot
            takers.append(_Taker(number, place, chance is not None and chance.negated, target))
    return _ShareLayout(tuple(takers), tuple(returning))


def _orphans(nat: Table, plans: Plans, led: Collection[str | None]) -> frozenset[str | None]:
    """The KUBE-SVC chains of Services with an endpoint chain that no rule leads to; includes None if such a chain's
    Service is unknown."""
    found: set[str | None] = set()
    for name, chain in nat.chains.items():
        if name not in led and role_of(name) is ChainRole.ENDPOINT:
            found.update(_services_of(chain, plans))
    return frozenset(found)


def _services_of(chain: Chain, plans: Plans) -> tuple[str | None, ...]:
    for number, shape in enumerate(chain.layout.shapes):
        comment = plans[shape].comment_of(chain.rule(number))
        name = None if comment is None else read_comment(comment)[0]
        if name is not None:
            spellings = {name.spelled, name.spelled.rstrip(":") + ":"}
            hashes = (chain_hash(spelled, protocol) for spelled in spellings for protocol in PROTOCOLS)
            return tuple(ChainRole.SERVICE.value + each for each in hashes)
    return (None,)
