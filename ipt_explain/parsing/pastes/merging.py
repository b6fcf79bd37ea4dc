"""One picture from several outputs: the same table as two commands printed it, one after the other.

A rule that both show is one rule. Order holds inside each output; across them it is known only as far as rules that
both show tell. Where two outputs contradict each other, the later is right, and the contradiction is named.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.model import Chain, Extent, Hidden, Rule, Table
from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import dataclass

_INTERFACES = lazy_pattern(r" (?:! )?-[io] [^ ]+")


@dataclass(frozen=True, slots=True)
class Conflict:
    """A chain that two outputs show with different rules, and where each of them does."""

    table: str
    chain: str
    first_line: int | None
    second_line: int | None


_MOST_OUTPUTS = 64
"""So many outputs that show one chain are put in order; more would cost more than they tell."""


def chain_of_outputs(name: str, outputs: Sequence[Sequence[Rule]]) -> Chain:
    """A chain of which outputs show some rules, in the order of the text."""
    chains = (Chain.of(name, rules, extent=Extent.SOME) for rules in outputs)
    if len(outputs) <= _MOST_OUTPUTS:
        chain = next(chains)
        for following in chains:
            chain, _ = _join_chains(chain, following)
        return chain
    seen: set[str] = set()
    rules: list[Rule] = []
    for output in outputs:
        fresh = [(rule.text, rule) for rule in output]
        rules += [rule for text, rule in fresh if text not in seen]
        seen.update(text for text, _ in fresh)
    return Chain.of(name, rules, extent=Extent.SOME, ordered=False)


def join_tables(before: Table, after: Table) -> tuple[Table, tuple[Conflict, ...]]:
    """The table that two outputs show parts of, or all of. Takes the first one's dictionary of chains for its own, or a
    text of many outputs would cost the square of them.
    """
    chains = before.chains if isinstance(before.chains, dict) else dict(before.chains)
    conflicts: list[Conflict] = []
    for name, chain in after.chains.items():
        known = chains.get(name)
        if known is not None:
            chain, agrees = _join_chains(known, chain)
            if not agrees:
                conflicts.append(Conflict(after.name, name, _line_of(known), _line_of(after.chains[name])))
        chains[name] = chain
    whole = Extent.WHOLE in (before.extent, after.extent)
    if before.extent is after.extent is Extent.WHOLE:
        chains = {name: chain for name, chain in chains.items() if name in after.chains}
    joined = Table(
        after.name,
        chains,
        before.line or after.line,
        before.committed and after.committed,
        before.deleted | after.deleted,
        before.redeclared + after.redeclared,
        Extent.WHOLE if whole else Extent.SOME,
    )
    return joined, tuple(conflicts)


def _line_of(chain: Chain) -> int | None:
    return chain.line if chain.line is not None or not len(chain.layout) else chain.line_of(0)


def _join_chains(before: Chain, after: Chain) -> tuple[Chain, bool]:
    """The chain that two outputs show, and whether they agree."""
    blind = _is_blind(before) or _is_blind(after)
    old, new = _keys(before, blind), _keys(after, blind)
    if old == new:
        return _same(before, after), True
    merge = _merge(old, new)
    pairs, agree = merge.pairs, merge.in_order
    extent = Extent.SOME
    if after.extent is Extent.WHOLE:
        pairs, extent, agree = [pair for pair in pairs if pair[1] is not None], Extent.WHOLE, not merge.only_old
    elif before.extent is Extent.WHOLE:
        agree = agree and not merge.only_new
        extent = Extent.WHOLE if agree else Extent.SOME
    elif before.extent is after.extent is Extent.START and not (merge.only_old and merge.only_new):
        extent = Extent.START
    rules = [_clearer(before, after, pair) for pair in pairs]
    ordered = extent is Extent.WHOLE or (merge.ordered and before.ordered and after.ordered)
    if not ordered:
        rules = _by_chance(rules)
    policy, line = after.policy or before.policy, before.line or after.line
    return Chain.of(before.name, rules, policy, line, after.counters or before.counters, extent, ordered), agree


def _same(before: Chain, after: Chain) -> Chain:
    """One of two chains with the same rules: the one that says more."""
    clear = before if _is_blind(after) else after
    other = after if clear is before else before
    extents = (before.extent, after.extent)
    extent = next(each for each in Extent if each in extents)
    policy, line = clear.policy or other.policy, clear.line or other.line
    counters = clear.counters or other.counters
    ordered = before.ordered or after.ordered
    return Chain.of(clear.name, clear.rules, policy, line, counters, extent, ordered)


def _is_blind(chain: Chain) -> bool:
    return any(Hidden.INTERFACES in shape.hidden for shape in set(chain.layout.shapes))


def _keys(chain: Chain, blind: bool) -> list[str]:
    """What two outputs print alike of a rule: not its quotes, nor its interfaces where one of them prints none."""
    texts = (rule.text.replace('"', "") for rule in chain.rules)
    return [_INTERFACES.sub("", text) if blind else text for text in texts]


def _clearer(before: Chain, after: Chain, pair: tuple[int | None, int | None]) -> Rule:
    old, new = pair
    if new is None or (old is not None and Hidden.INTERFACES in after.layout.shapes[new].hidden):
        assert old is not None
        return before.rule(old)
    return after.rule(new)


@dataclass(slots=True)
class _Merge:
    """Two sequences as one: places in the first and in the second, None where a rule is in one of them alone.

    `in_order` tells that rules of both come in the same order in both; `ordered` that their common order is known.
    """

    pairs: list[tuple[int | None, int | None]]
    in_order: bool = True
    ordered: bool = True
    only_old: int = 0
    only_new: int = 0


def _merge(old: Sequence[str], new: Sequence[str]) -> _Merge:
    places: dict[str, list[int]] = {}
    for place in range(len(old) - 1, -1, -1):
        places.setdefault(old[place], []).append(place)
    merge = _Merge([])
    done_old = done_new = 0
    for place, key in enumerate(new):
        waiting = places.get(key)
        while waiting and waiting[-1] < done_old:
            waiting.pop()
            merge.in_order = False
        if waiting:
            _take(merge, (done_old, waiting[-1]), (done_new, place))
            done_old, done_new = waiting.pop(), place
            merge.pairs.append((done_old, done_new))
            done_old, done_new = done_old + 1, done_new + 1
    _take(merge, (done_old, len(old)), (done_new, len(new)))
    merge.ordered = merge.ordered and merge.in_order
    return merge


def _take(merge: _Merge, old: tuple[int, int], new: tuple[int, int]) -> None:
    """Rules between two that both outputs show."""
    merge.pairs += [(place, None) for place in range(*old)]
    merge.pairs += [(None, place) for place in range(*new)]
    merge.only_old += old[1] - old[0]
    merge.only_new += new[1] - new[0]
    if old[0] < old[1] and new[0] < new[1]:
        merge.ordered = False


def _by_chance(rules: list[Rule]) -> list[Rule]:
    """Rules whose order no output tells, in the only one in which all can be reached: those with a condition, then by
    rising probability (1/3, 1/2), then those that match every packet.
    """
    return sorted(rules, key=_chance)


def _chance(rule: Rule) -> float:
    shape = rule.shape
    option = shape.match_option("statistic", "--probability")
    if option is not None:
        try:
            return float(rule.first(option) or 0)
        except ValueError:
            return 0.0
    conditional = bool(shape.core) or any(match.module != "comment" for match in shape.matches)
    return 0.0 if conditional else 1.0
