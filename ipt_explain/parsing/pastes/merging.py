"""Merging several outputs of the same table, printed one after the other.

A rule in both outputs is one rule. Order is known inside each output, and between them only by rules that both show. If
two outputs contradict each other, the later wins, and the contradiction is reported.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.model import Chain, Extent, Hidden, Rule, Table
from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import Record

_INTERFACES = lazy_pattern(r" (?:! )?-[io] [^ ]+")


class Conflict(Record):
    """A chain that two outputs show with different rules, or a whole table, and the place in each."""

    table: str
    chain: str | None
    first_line: int | None
    second_line: int | None


_MOST_OUTPUTS = 64
"""How many outputs of one chain are put in order; more would cost too much for what they add."""


def chain_of_outputs(name: str, outputs: Sequence[Sequence[Rule]]) -> Chain:
    """A chain from outputs that show some of its rules, in the order of the text."""
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
    """Join two outputs of a table or of parts of it. Reuses the first one's dictionary of chains; otherwise the cost
    would be quadratic in the number of outputs."""
    chains = before.chains if isinstance(before.chains, dict) else dict(before.chains)
    conflicts: list[Conflict] = []
    for name, chain in after.chains.items():
        known = chains.get(name)
        if known is not None:
            first, second = (chain, known) if _is_above(chain, known) else (known, chain)
            chain, agrees = _join_chains(first, second)
            if not agrees:
                conflicts.append(Conflict(after.name, name, _line_of(first), _line_of(second)))
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


def replaced(before: Table, after: Table) -> Conflict | None:
    """What two whole sections of a table contradict each other in, of which the later replaces the earlier."""
    same = before.chains.keys() == after.chains.keys() and all(
        _are_same(chain, after.chains[name]) for name, chain in before.chains.items()
    )
    return None if same else Conflict(after.name, None, before.line, after.line)


def _are_same(before: Chain, after: Chain) -> bool:
    return before.values == after.values and before.layout.shapes == after.layout.shapes


def _is_above(chain: Chain, known: Chain) -> bool:
    """Whether all that is shown of a chain comes before what is known of it: rules outside of tables are joined last,
    wherever they are."""
    line = _line_of(known)
    return line is not None and len(chain.layout) > 0 and chain.line_of(len(chain.layout) - 1) < line


def _line_of(chain: Chain) -> int | None:
    return chain.line if chain.line is not None or not len(chain.layout) else chain.line_of(0)


def _join_chains(before: Chain, after: Chain) -> tuple[Chain, bool]:
    """The chain from two outputs, and whether they agree."""
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
        if not agree and after.extent is Extent.START:
            pairs, extent = [pair for pair in pairs if pair[1] is not None], Extent.START
    elif before.extent is after.extent is Extent.START and not (merge.only_old and merge.only_new):
        extent = Extent.START
    rules = [_clearer(before, after, pair) for pair in pairs]
    ordered = extent is Extent.WHOLE or (merge.ordered and before.ordered and after.ordered)
    if not ordered:
        rules = _by_chance(rules)
    policy, line = after.policy or before.policy, before.line or after.line
    return Chain.of(before.name, rules, policy, line, after.counters or before.counters, extent, ordered), agree


def _same(before: Chain, after: Chain) -> Chain:
    """One of two chains with the same rules: the one with more information."""
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
    """The rules without what outputs print differently: quotes, and interfaces if one output hides them."""
    texts = (rule.text.replace('"', "") for rule in chain.rules)
    return [_INTERFACES.sub("", text) if blind else text for text in texts]


def _clearer(before: Chain, after: Chain, pair: tuple[int | None, int | None]) -> Rule:
    old, new = pair
    if new is None or (old is not None and Hidden.INTERFACES in after.layout.shapes[new].hidden):
        assert old is not None
        return before.rule(old)
    return after.rule(new)


class _Merge(Record, frozen=False):
    """Two sequences merged: places in the first and in the second, None if a rule is only in the other.

    `in_order`: common rules come in the same order in both; `ordered`: the order of all rules is known.
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
    """Merge the rules between two common ones."""
    merge.pairs += [(place, None) for place in range(*old)]
    merge.pairs += [(None, place) for place in range(*new)]
    merge.only_old += old[1] - old[0]
    merge.only_new += new[1] - new[0]
    if old[0] < old[1] and new[0] < new[1]:
        merge.ordered = False


def _by_chance(rules: list[Rule]) -> list[Rule]:
    """Put rules of unknown order into the only order in which all are reachable: those with a condition, then by rising
    probability (1/3, 1/2), then those that match every packet."""
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
